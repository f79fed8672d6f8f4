/**
 * Every crash point of a fixed set of scenarios: the scheduler dies before and after each port call of each pass; a fresh
 * one makes a pass, the scenario goes on, and everything must come to its end as in any history.
 */
import type { History, Mishap, Step } from "./passHistory.ts"
import { runHistory } from "./passHistoryRun.ts"

const dev: Step = { _tag: "AddTask", queue: "dev", as: "plain" }
const ops: Step = { _tag: "AddTask", queue: "ops", as: "assigned" }
const pass: Step = { _tag: "Pass", mishaps: [] }
const wait = (seconds: number): Step => ({ _tag: "Wait", seconds })

/** With two scripts the first attempt at task 1 follows the first, the second the other, and so on in turn. */
export const scenarios: { readonly [name: string]: History } = {
  start: { scripts: ["completes"], steps: [dev, pass] },
  finish: { scripts: ["completes"], steps: [dev, pass, wait(5), pass, wait(20), pass] },
  "fail and retry": {
    scripts: ["fails", "completes"],
    steps: [dev, pass, wait(15), pass, wait(40), pass, wait(30), pass]
  },
  "stop by run time": {
    scripts: ["ignoresSignals", "completes"],
    steps: [
      { _tag: "Configure", change: "short runs" },
      dev,
      ...[0, 5, 60, 10, 5, 5].flatMap((seconds) => [wait(seconds), pass]),
      ...[60, 30].flatMap((seconds) => [wait(seconds), pass])
    ]
  },
  "stop by silence": {
    scripts: ["fallsSilent", "completes"],
    steps: [
      { _tag: "Configure", change: "idle timeout" },
      dev,
      pass,
      ...[60, 1, 60, 30].flatMap((s) => [wait(s), pass])
    ]
  },
  "orphaned agent": {
    scripts: ["runsForEver", "completes"],
    steps: [dev, pass, wait(5), { _tag: "Kill", process: 0 }, pass, ...[1, 60, 30].flatMap((s) => [wait(s), pass])]
  },
  "requeue with Tinytask down": {
    scripts: ["fails", "completes"],
    steps: [
      dev,
      pass,
      wait(15),
      { _tag: "Tinytask", down: true },
      pass,
      { _tag: "Tinytask", down: false },
      pass,
      ...[60, 30].flatMap((s) => [wait(s), pass])
    ]
  },
  "two agents": {
    scripts: ["fails", "completes"],
    steps: [dev, ops, dev, pass, ...[15, 60, 30].flatMap((s) => [wait(s), pass])]
  },
  parked: {
    scripts: ["fails"],
    steps: [{ _tag: "Configure", change: "one attempt" }, dev, pass, wait(15), pass, wait(300), pass]
  },
  "retry consumed": {
    scripts: ["fails", "completes"],
    steps: [
      { _tag: "Configure", change: "one attempt" },
      dev,
      pass,
      wait(15),
      pass,
      { _tag: "Ask", what: "retry", task: 0, nth: 0 },
      pass,
      ...[15, 30].flatMap((s) => [wait(s), pass])
    ]
  },
  "stop requested": {
    scripts: ["ignoresSignals", "completes"],
    steps: [
      dev,
      pass,
      wait(5),
      { _tag: "Ask", what: "stop", task: 0, nth: 0 },
      ...[0, 10, 5, 5, 60, 30].flatMap((s) => [wait(s), pass])
    ]
  },
  "legacy lease": {
    scripts: ["completes"],
    steps: [dev, { _tag: "LegacyLease", task: 0, seconds: 30 }, pass, ...[40, 60, 30].flatMap((s) => [wait(s), pass])]
  },
  "handed over": {
    scripts: ["handsBack", "completes"],
    steps: [dev, pass, ...[15, 60, 30].flatMap((s) => [wait(s), pass])]
  },
  subtasks: {
    scripts: ["makesSubtask", "completes"],
    steps: [dev, pass, ...[15, 30, 30].flatMap((s) => [wait(s), pass])]
  },
  "nobody claims it in time": {
    scripts: ["claimsTooLate", "completes"],
    steps: [dev, pass, ...[31, 70, 30].flatMap((s) => [wait(s), pass])]
  },
  "the agent can't be started": {
    scripts: ["cantStart", "completes"],
    steps: [dev, pass, ...[1, 60, 30].flatMap((s) => [wait(s), pass])]
  },
  "the launch fails": {
    scripts: ["completes"],
    steps: [
      dev,
      { _tag: "Pass", mishaps: [{ call: 18, moment: "before", kind: "fail" }] },
      wait(60),
      pass,
      wait(30),
      pass
    ]
  },
  "edited between look and claim": {
    scripts: ["completes"],
    // It moves to another queue.
    steps: [
      dev,
      { _tag: "Pass", mishaps: [{ call: 15, moment: "after", kind: "edit" }] },
      wait(30),
      pass,
      wait(30),
      pass
    ]
  },
  "leftovers of a finished agent": {
    scripts: ["leavesChildren", "completes"],
    steps: [dev, pass, ...[15, 5, 5, 30].flatMap((s) => [wait(s), pass])]
  },
  "the lease is lost and its supervisor dead": {
    scripts: ["runsForEver", "completes"],
    steps: [
      dev,
      pass,
      wait(5),
      { _tag: "Lease", task: 0, fault: "torn", nth: 0 },
      { _tag: "Kill", process: 0 },
      pass,
      ...[1, 60, 30].flatMap((s) => [wait(s), pass])
    ]
  },
  "hung supervisor": {
    scripts: ["runsForEver", "completes"],
    steps: [
      dev,
      pass,
      wait(5),
      { _tag: "Hang", supervisor: 0, how: "stopped" },
      ...[60, 31, 10, 5, 5, 60, 30].flatMap((s) => [wait(s), pass])
    ]
  },
  reboot: {
    scripts: ["runsForEver", "completes"],
    steps: [dev, pass, wait(5), { _tag: "Reboot" }, pass, ...[60, 30].flatMap((s) => [wait(s), pass])]
  }
}

export interface CrashPoint {
  /** Which pass of the scenario, and which of its calls; each from 1. */
  readonly pass: number
  readonly call: number
  readonly name: string
  readonly moment: Mishap["moment"]
}

/** Every call of every pass of a scenario: a crash before it and, where it happens at all, one after. */
export const crashPointsOf = (scenario: History): ReadonlyArray<CrashPoint> => {
  const passes = scenario.steps.filter(({ _tag }) => _tag === "Pass").length
  return runHistory(scenario)
    .callsOfPasses.slice(0, passes)
    .flatMap((calls, pass) =>
      calls.flatMap(({ happened, name }, call) =>
        (happened ? (["before", "after"] as const) : (["before"] as const)).map((moment) => ({
          pass: pass + 1,
          call: call + 1,
          name,
          moment
        }))
      )
    )
}

/** The scenario with a crash at one point, and a pass of the next scheduler some time after it. */
const withCrash = (scenario: History, { call, moment, pass: wanted }: CrashPoint, seconds: number): History => {
  let seen = 0
  const steps = scenario.steps.flatMap((step): ReadonlyArray<Step> => {
    if (step._tag !== "Pass") return [step]
    seen += 1
    const crash: Mishap = { call, moment, kind: "crash" }
    return seen === wanted ? [{ ...step, mishaps: [crash, ...step.mishaps] }, wait(seconds), pass] : [step]
  })
  return { ...scenario, steps }
}

/** The next scheduler comes at once, as a daemon's, or after a while in which the machine lived on, as cron's. */
const recoveries = [0, 45]

/** What goes wrong when the scheduler dies there; also that it did not die there. */
export const crashAt = (scenario: History, point: CrashPoint): ReadonlyArray<string> =>
  recoveries.flatMap((seconds) => {
    const run = runHistory(withCrash(scenario, point, seconds))
    const crashes = run.faults.get(`crash ${point.moment}`) ?? 0
    const missed = crashes === 1 ? [] : [`the scheduler died ${crashes} times`]
    return [...missed, ...run.wrongs].map(
      (wrong) =>
        `crash ${point.moment} call ${point.call} (${point.name}) of pass ${point.pass}, next after ${seconds} s: ${wrong}`
    )
  })
