/** What must be seen twice: a beat that stands still, a liveness that stays unknown. Heartbeat 15 s: overdue after 45 s. */
import { describe, expect, it } from "vitest"
import type { Sighting } from "../../src/domain/Attempts.ts"
import { policyDefaults } from "../../src/domain/DesiredState.ts"
import type { Liveness } from "../../src/domain/ProcessIdentity.ts"
import { lookAgain } from "../../src/reconcile/sighting.ts"
import type { SightingResult } from "../../src/reconcile/sighting.ts"
import type { Evidence } from "../../src/domain/TaskRecord.ts"
import {
  attempts,
  claim,
  claimSight,
  epoch,
  evidence,
  here,
  mono,
  oneAgent,
  recordedOutcome,
  runningLease,
  sighting,
  startingLease
} from "../builders.ts"
import type { WorldBuilder } from "../builders.ts"
import { specify } from "./specify.ts"

interface Look {
  /** Seconds on the monotonic clock, and the beat that was found then. */
  readonly atSec: number
  readonly beatSec: number
  readonly seen?: Liveness
  readonly starting?: boolean
  readonly bootId?: string
  readonly attempt?: number
}

/** A row of looks; each finds what the one before remembered. */
const looks = (row: ReadonlyArray<Look>): ReadonlyArray<SightingResult> => {
  let stored: Sighting | null = null
  return row.map(({ atSec, attempt, beatSec, bootId, seen, starting }) => {
    const result = lookAgain({
      heartbeatSec: null,
      epoch: epoch(attempt ?? 3),
      bootId: bootId ?? here.bootId,
      monoMs: atSec * 1000,
      supervisor: seen ?? "alive",
      beatMonoMs: beatSec * 1000,
      starting: starting ?? false,
      taskComplete: false,
      stored,
      policy: policyDefaults
    })
    stored = result.sighting
    return result
  })
}
const words = ({ changed, hung, sighting, unknownTooLong }: SightingResult): string =>
  [
    hung ? "hung" : unknownTooLong ? "lost" : sighting === null ? "ordinary" : "watched",
    ...(changed ? ["noted"] : [])
  ].join(", ")

describe("a beat that stands still", () => {
  it.each<{ readonly name: string; readonly row: ReadonlyArray<Look>; readonly words: ReadonlyArray<string> }>([
    {
      name: "a beat 45 s old is not overdue",
      row: [{ atSec: 45, beatSec: 0 }],
      words: ["ordinary"]
    },
    {
      name: "overdue once is no death sentence, however late",
      row: [{ atSec: 9000, beatSec: 0 }],
      words: ["watched, noted"]
    },
    {
      name: "hung: seen overdue twice, unchanged, at least two intervals apart; nothing is noted twice",
      row: [
        { atSec: 50, beatSec: 0 },
        { atSec: 79, beatSec: 0 },
        { atSec: 80, beatSec: 0 }
      ],
      words: ["watched, noted", "watched", "hung"]
    },
    {
      name: "the machine slept for a day: the first look after it finds a late beat, the second a new one",
      row: [
        { atSec: 86_400, beatSec: 10 },
        { atSec: 86_415, beatSec: 86_410 }
      ],
      words: ["watched, noted", "ordinary, noted"]
    },
    {
      name: "the scheduler itself was paused between two looks: a beat that moved is another beat",
      row: [
        { atSec: 50, beatSec: 0 },
        { atSec: 9000, beatSec: 60 }
      ],
      words: ["watched, noted", "watched, noted"]
    },
    {
      name: "what was seen in another boot does not count",
      row: [
        { atSec: 50, beatSec: 0, bootId: "boot-1" },
        { atSec: 200, beatSec: 0 }
      ],
      words: ["watched, noted", "watched, noted"]
    },
    {
      name: "what was seen of another attempt does not count",
      row: [
        { atSec: 50, beatSec: 0, attempt: 2 },
        { atSec: 200, beatSec: 0 }
      ],
      words: ["watched, noted", "watched, noted"]
    },
    {
      name: "a dead supervisor hangs no more: its death is what is judged",
      row: [
        { atSec: 50, beatSec: 0 },
        { atSec: 90, beatSec: 0, seen: "dead" }
      ],
      words: ["watched, noted", "ordinary, noted"]
    }
  ])("$name", ({ row, words: expected }) => {
    expect(looks(row).map(words)).toEqual(expected)
  })
})

describe("a liveness that stays unknown", () => {
  it.each<{ readonly name: string; readonly row: ReadonlyArray<Look>; readonly words: ReadonlyArray<string> }>([
    {
      name: "lost after 300 s that we observed ourselves",
      row: [
        { atSec: 1000, beatSec: 0, seen: "unknown" },
        { atSec: 1299, beatSec: 0, seen: "unknown" },
        { atSec: 1300, beatSec: 0, seen: "unknown" }
      ],
      words: ["watched, noted", "watched", "lost"]
    },
    {
      name: "a beat that moves begins the clock anew",
      row: [
        { atSec: 1000, beatSec: 0, seen: "unknown" },
        { atSec: 1200, beatSec: 1190, seen: "unknown" },
        { atSec: 1400, beatSec: 1190, seen: "unknown" }
      ],
      words: ["watched, noted", "watched, noted", "watched"]
    },
    {
      name: "seen alive in between begins the clock anew",
      row: [
        { atSec: 1000, beatSec: 980, seen: "unknown" },
        { atSec: 1010, beatSec: 980, seen: "alive" },
        { atSec: 1310, beatSec: 980, seen: "unknown" }
      ],
      words: ["watched, noted", "ordinary, noted", "watched, noted"]
    }
  ])("$name", ({ row, words: expected }) => {
    expect(looks(row).map(words)).toEqual(expected)
  })
})

const overdue = (observed: Sighting | null, beatSec = -60) =>
  oneAgent()
    .addTask(1, { status: "working", assignee: "ada" })
    .addLease(runningLease(1, 3, "ada", { beatMonoMs: mono(beatSec) }), evidence.healthy, {
      attempts: attempts(1, { epoch: 3, agent: "ada" }, { observed })
    })

describe("sightings in a plan", () => {
  specify([
    {
      name: "a first overdue beat is noted, and the attempt left alone",
      world: overdue(null),
      lines: ["running task 1 on ada (epoch 3): its supervisor is silent", "  note: hung since 0 s"]
    },
    {
      name: "what is remembered already is not noted again",
      world: overdue(sighting(3, { hungBeatMonoMs: mono(-60), hungSinceMonoMs: mono(-10) })),
      lines: ["running task 1 on ada (epoch 3): its supervisor is silent"]
    },
    {
      name: "unchanged after two intervals: hung, and stopped with its supervisor",
      world: overdue(sighting(3, { hungBeatMonoMs: mono(-60), hungSinceMonoMs: mono(-30) })),
      lines: [
        "stop task 1 on ada (epoch 3): hung-supervisor, interrupt",
        "  interrupt with its supervisor, next at 10 s"
      ]
    },
    {
      name: "it beats again: what was seen is forgotten",
      world: overdue(sighting(3, { hungBeatMonoMs: mono(-60), hungSinceMonoMs: mono(-30) }), -1),
      lines: ["running task 1 on ada (epoch 3): running", "  note: nothing out of the ordinary"]
    },
    {
      name: "a supervisor that has only claimed has the start's grace at least: heartbeat 5 s, and silent for 29 s",
      world: oneAgent()
        .withPolicy({ heartbeatSec: 5 })
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(startingLease(1, 3, "ada", { startMonoMs: mono(-29) }), evidence.claimedOnly),
      lines: ["running task 1 on ada (epoch 3): starting"]
    },
    {
      name: "one that runs has not",
      world: overdue(null, -16).withPolicy({ heartbeatSec: 5 }),
      lines: ["running task 1 on ada (epoch 3): its supervisor is silent", "  note: hung since 0 s"]
    }
  ])
})

const lateClaim = (seen: Evidence, observed: Sighting | null = null): WorldBuilder =>
  oneAgent().addRecord(1, {
    claims: [claimSight(claim(1, 3, "ada"), seen)],
    attempts: attempts(1, { epoch: 4, agent: "ada" }, { outcomes: [recordedOutcome(1, 4, "failed")], observed })
  })

describe("a claim that came after its attempt had ended", () => {
  const nobodyCanLook: Evidence = { supervisor: "unknown", agent: null, others: [], scanned: false }
  const unknownSince = (seconds: number) => sighting(3, { hungBeatMonoMs: 0, unknownSinceMonoMs: mono(seconds) })
  specify([
    {
      name: "is swept once it is dead",
      world: lateClaim(evidence.dead).addTask(1),
      lines: ["start task 1 on ada (epoch 5, attempt 1)", "  sweep claims up to epoch 3"]
    },
    {
      name: "holds its task while it lives",
      world: lateClaim({ ...evidence.dead, supervisor: "alive" }, unknownSince(-9000)).addTask(1),
      lines: ["wait task 1: earlier attempt (epoch 3) alive", "  note: nothing out of the ordinary"]
    },
    {
      name: "from where nobody can look: that is noted",
      world: lateClaim(nobodyCanLook).addTask(1),
      lines: ["wait task 1: earlier attempt (epoch 3) unknown", "  note: unknown since 0 s"]
    },
    {
      name: "unknown for 299 s: it is waited for",
      world: lateClaim(nobodyCanLook, unknownSince(-299)).addTask(1),
      lines: ["wait task 1: earlier attempt (epoch 3) unknown"]
    },
    {
      name: "unknown for 300 s: it is swept, and its slot is free in the next plan",
      world: lateClaim(nobodyCanLook, unknownSince(-300)).addTask(1),
      lines: ["wait task 1: earlier attempt (epoch 3) unknown", "  sweep claims up to epoch 3 without proof"]
    },
    {
      name: "nothing is given up where UNKNOWN_LOST_SEC is 0",
      world: lateClaim(nobodyCanLook, unknownSince(-9000)).addTask(1).withPolicy({ unknownLostSec: 0 }),
      lines: ["wait task 1: earlier attempt (epoch 3) unknown"]
    }
  ])
})

describe("a supervisor that was launched with another heartbeat", () => {
  it("is judged by its own: a scheduler that beats faster calls nobody hung", () => {
    const look = (atSec: number, stored: Sighting | null) =>
      lookAgain({
        epoch: epoch(3),
        bootId: here.bootId,
        monoMs: atSec * 1000,
        supervisor: "alive",
        beatMonoMs: 0,
        starting: false,
        heartbeatSec: 120,
        taskComplete: false,
        stored,
        policy: policyDefaults
      })
    expect(words(look(110, null))).toBe("ordinary")
    const overdue = look(361, null)
    expect(words(overdue)).toBe("watched, noted")
    expect(words(look(600, overdue.sighting))).toBe("watched")
    expect(words(look(602, overdue.sighting))).toBe("hung")
  })
})
