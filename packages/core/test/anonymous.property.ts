/** Anonymous records: the same is decided, to the last number, and no word of anybody's is in them. */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { StopReason, StopRung } from "../src/domain/Attempts.ts"
import { Outcome } from "../src/domain/Outcome.ts"
import type { Plan, Verdict } from "../src/domain/Plan.ts"
import type { Situation } from "../src/domain/Situation.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { statedResults } from "../src/reconcile/statedResult.ts"
import { makeAnonymiser } from "../src/record/anonymous.ts"
import { nameKinds, Names } from "../src/record/Names.ts"
import { applyLine, parseLine } from "../src/record/RecordLine.ts"
import { recordRound } from "../src/record/recordRound.ts"
import { makeSituationReader } from "../src/record/situationOf.ts"
import { replay } from "../src/replay/replay.ts"
import { worlds } from "./worlds.ts"

const parameters = { numRuns: Number(process.env["RUNS"] ?? 500), seed: Number(process.env["SEED"] ?? 20_261_123) }

const planOf = ({ desired, observed }: Situation): Plan => reconcile(observed, desired)

const anonymous = (situation: Situation): Situation => {
  const { gather, seal } = makeAnonymiser()
  gather(situation)
  return seal()(situation)
}

/** What a plan says without a name: who is who is told by the place in the list of agents, which goes by name. */
const withoutNames = ({ actions, nextMonoMs, nextWallMs, usage, verdicts }: Plan) => {
  const places = new Map(usage.agents.map(({ name }, place) => [name, place] as const))
  const bare = (verdict: Verdict) => {
    switch (verdict._tag) {
      case "Wait":
        return verdict.reasons.map((reason) => ({ ...numbersOf(reason), _tag: reason._tag }))
      case "Ignore":
        return verdict
      case "Start":
      case "Running":
      case "Finish":
      case "Stop":
      case "Reclaim":
        return { ...numbersOf(verdict), _tag: verdict._tag, agent: places.get(verdict.agent) }
    }
  }
  return {
    verdicts: verdicts.map((verdict) => ({ taskId: verdict.taskId, says: bare(verdict) })),
    actions: actions.map((action) => ({ ...numbersOf(action), _tag: action._tag })),
    agents: usage.agents.map(numbersOf),
    queues: usage.queues.map(numbersOf),
    nextMonoMs,
    nextWallMs
  }
}

const numbersOf = (value: object) =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => typeof field === "number"))

/** Every text somewhere within a value. */
const textsIn = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : []

const ownWords = `Read Unread Missing Unreadable Legacy present missing outside idle working complete starting running
  finished claim tombstone alive dead unknown exit json tinytask SIGINT SIGTERM SIGKILL cgroup queues
  legacy blockers priority wait run on disabled drain observe-only retry stop pause resume repair gc apply
  void failed completed rate-limited auth`

/** The words that the forms of a situation know. */
const known = new Set<string>([
  ...Outcome.literals,
  ...StopReason.literals,
  ...StopRung.literals,
  ...statedResults.map((status) => JSON.stringify({ status })),
  ...ownWords.split(/\s+/)
])

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
const harmless = new RegExp(
  `^(?:${[
    "|left out|recipe:|0{64}",
    `(?:recipe:|http://)?(?:${nameKinds.join("|")})-\\d+`,
    String.raw`task \d+`,
    String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`,
    uuid,
    String.raw`/tinyscheduler-\d+\.\d+-${uuid}`
  ].join("|")})$`
)
const isHarmless = (text: string): boolean => known.has(text) || harmless.test(text)

/** The tasks of these worlds are named by their numbers; those of people are not. */
const inWords = ({ desired, observed }: Situation): Situation => ({
  desired,
  observed:
    observed.tinytask._tag === "Unread"
      ? observed
      : {
          ...observed,
          tinytask: {
            ...observed.tinytask,
            tasks: observed.tinytask.tasks.map((task) => ({
              ...task,
              title: `Mend the login of ada, ${task.id}`,
              tags: [...task.tags, "urgent"]
            }))
          }
        }
})

describe("an anonymous situation", () => {
  it("is decided as the one that it stands for", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        expect(withoutNames(planOf(anonymous(world)))).toEqual(withoutNames(planOf(world)))
      }),
      parameters
    )
  })

  it("has no text but stand-ins, times, drawn numbers and the words of its own forms", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        expect(textsIn(anonymous(inWords(world))).filter((text) => !isHarmless(text))).toEqual([])
      }),
      parameters
    )
  })

  it("is recorded and replayed to the byte", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const situation = anonymous(world)
        const { line } = recordRound(situation, planOf(situation), { id: null, parts: null })
        const read = Result.getOrThrow(parseLine(line))
        const parts = applyLine(null, read) ?? new Map()
        const { result, wasAnother } = replay({ line: read, parts }, makeSituationReader())
        expect({ result, wasAnother }).toEqual({ result: { _tag: "Same" }, wasAnother: false })
      }),
      parameters
    )
  })
})

describe("stand-ins", () => {
  it("sort as the names do, one for each, however often and in whatever order these came", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 30 }), (given) => {
        const names = new Names()
        for (const name of given) names.gather("agent", name)
        const standIn = names.standIns()
        const sorted = [...new Set(given)].sort((left, right) => (left < right ? -1 : 1))
        const made = sorted.map((name) => standIn("agent", name))
        expect(made).toEqual([...new Set(made)].sort())
      }),
      { ...parameters, numRuns: 100 }
    )
  })
})
