/**
 * What must hold of the ladder however often, how late and by how many passes it is climbed: looks at random moments, each
 * a pass of its own that knows no more than the record on disk, over reboots and steps of the wall clock.
 */
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { StopFile, StopReason, StopRung } from "../src/domain/Attempts.ts"
import type { StopRecord } from "../src/domain/Attempts.ts"
import { ladder, ladderStep, outlivesKill } from "../src/reconcile/ladder.ts"
import type { LadderStep } from "../src/reconcile/ladder.ts"
import { agentName, epoch, taskId, tokenOf } from "./builders.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 1000),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

/** One pass's look at the stop. */
interface Look {
  readonly waitMs: number
  /** By how much somebody set the wall clock meanwhile. */
  readonly setMs: number
  readonly alone: boolean
  readonly reboot: boolean
  readonly reason: StopReason
}

const waits = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 0, max: 12_000 }),
  fc.integer({ min: 0, max: 1e7 })
)
const looks = fc.array(
  fc.record({
    waitMs: waits,
    setMs: fc.oneof(fc.constant(0), fc.integer({ min: -1e9, max: 1e9 })),
    alone: fc.boolean(),
    reboot: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    reason: fc.constantFrom(...StopReason.literals)
  }),
  { minLength: 1, maxLength: 20 }
)
const graces = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 }))

interface Climbed extends LadderStep {
  readonly look: Look
  readonly monoMs: number
  readonly bootId: string
  /** What the pass knew. */
  readonly known: StopRecord | null
}

const toFile = Schema.encodeSync(StopFile)
const fromFile = Schema.decodeUnknownSync(StopFile)
/** Through its file, as the next process gets it. */
const reread = (record: StopRecord): StopRecord => fromFile(JSON.parse(JSON.stringify(toFile(record))))

const climb = (graceSec: number, all: ReadonlyArray<Look>): ReadonlyArray<Climbed> => {
  let known: StopRecord | null = null
  let monoMs = 1000
  let nowMs = Date.UTC(2026, 10, 23)
  let boots = 1
  return all.map((look) => {
    monoMs = look.reboot ? look.waitMs : monoMs + look.waitMs
    nowMs += look.waitMs + look.setMs
    if (look.reboot) boots += 1
    const bootId = `boot-${boots}`
    const reference = { taskId: taskId(1), epoch: epoch(3), token: tokenOf(1, 3), agent: agentName("ada") }
    const step = ladderStep({
      reference: { ...reference, phase: "running" },
      reason: look.reason,
      record: known,
      graceSec,
      nowMs,
      monoMs,
      bootId,
      alone: look.alone
    })
    const climbed = { ...step, look, monoMs, bootId, known }
    // Only a rung that was climbed is written down.
    if (step.due) known = reread(step.record)
    return climbed
  })
}

const orderOf = (rung: StopRung): number => StopRung.literals.indexOf(rung)
const always = (check: (steps: ReadonlyArray<Climbed>, graceSec: number) => void) => (): void => {
  fc.assert(
    fc.property(graces, looks, (graceSec, all) => check(climb(graceSec, all), graceSec)),
    parameters
  )
}
/** What the pass knew of a climb in its own boot. */
const continued = ({ bootId, known }: Climbed): StopRecord | null => (known?.bootId === bootId ? known : null)

describe("the ladder as data", () => {
  it("ends at SIGKILL from every rung, and only there a cgroup is killed", () => {
    for (const rung of StopRung.literals) {
      const { killsCgroup, next, signals } = ladder[rung]
      expect(orderOf(next)).toBe(Math.min(orderOf(rung) + 1, orderOf("kill")))
      expect(signals.some((signal) => signal === "SIGKILL")).toBe(rung === "kill")
      expect(killsCgroup).toBe(rung === "kill")
    }
  })

  it("asks the agent alone before it addresses everything", () => {
    expect(StopRung.literals.map((rung) => ladder[rung].addresses)).toEqual(["agent", "everything", "everything"])
  })
})

describe("a ladder that is climbed by passes of which none knows another", () => {
  it(
    "goes up one rung at a time and never down, within one boot",
    always((steps) => {
      for (const step of steps) {
        const before = continued(step)
        if (before === null) continue
        expect(step.rung).toBe(step.due ? ladder[before.rung].next : before.rung)
      }
    })
  )

  it(
    "climbs no rung before the time of the last one is over, and never two within a tenth of a second",
    always((steps, graceSec) => {
      for (const step of steps) {
        const before = continued(step)
        if (before === null) expect(step.due).toBe(true)
        else expect(step.due).toBe(step.monoMs >= before.nextMonoMs)
        const wait = graceSec * 1000 * ladder[step.rung].graceShare
        if (step.due) expect(step.record.nextMonoMs - step.monoMs).toBe(Math.max(100, wait))
      }
    })
  )

  it(
    "begins anew after a reboot, and asks first whoever can still end well",
    always((steps) => {
      for (const step of steps) {
        if (continued(step) !== null) continue
        expect(step.rung).toBe(step.look.reason === "leftovers" ? "terminate" : "interrupt")
        expect(step.record.sinceMonoMs).toBe(step.monoMs)
        expect(step.record).not.toHaveProperty("killedMonoMs")
      }
    })
  )

  it("minds no step of the wall clock", () => {
    fc.assert(
      fc.property(graces, looks, (graceSec, all) => {
        const still = all.map((look) => ({ ...look, setMs: 0 }))
        const told = (steps: ReadonlyArray<Climbed>) =>
          steps.map(({ due, includeSupervisor, record, rung }) => [rung, due, includeSupervisor, record.nextMonoMs])
        expect(told(climb(graceSec, all))).toEqual(told(climb(graceSec, still)))
      }),
      parameters
    )
  })

  it(
    "includes the supervisor when it hangs, or when it was seen alone and has been for a full grace and two seconds",
    always((steps, graceSec) => {
      for (const step of steps) {
        const aloneSince = step.look.alone ? (continued(step)?.aloneSinceMonoMs ?? null) : null
        const longAlone = aloneSince !== null && step.monoMs - aloneSince >= Math.max(2000, graceSec * 1000)
        expect(step.includeSupervisor).toBe(step.look.reason === "hung-supervisor" || longAlone)
      }
    })
  )

  it(
    "keeps why and since when it began",
    always((steps) => {
      for (const step of steps) {
        const before = continued(step)
        if (before === null) continue
        const { reason, since, sinceMonoMs } = step.record
        expect({ reason, since, sinceMonoMs }).toEqual({
          reason: before.reason,
          since: before.since,
          sinceMonoMs: before.sinceMonoMs
        })
      }
    })
  )

  it(
    "remembers its first SIGKILL: what lives a second after that outlives it",
    always((steps) => {
      for (const [index, step] of steps.entries()) {
        const killed = steps
          .slice(0, index + 1)
          .find(({ bootId, due, rung }) => bootId === step.bootId && due && rung === "kill")
        const outlives = killed !== undefined && step.monoMs - killed.monoMs >= 1000
        expect(outlivesKill(step.record, step)).toBe(outlives)
      }
    })
  )
})
