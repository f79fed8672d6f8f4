/**
 * Whole histories of a machine as data: tasks come, agents do all that agents do, people edit, processes die, disks fill,
 * clocks jump, schedulers are killed at any call. A history shrinks like any array, and a shrunk one can be read.
 */
import * as fc from "fast-check"
import { completesAfter, exitsWith } from "../src/simulation/api.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { AgentScript, SimulatedTinytask } from "../src/simulation/api.ts"

/** What happens at a call of a pass, by its number: it goes wrong, or the world changes right then. */
export interface Mishap {
  readonly call: number
  readonly moment: "before" | "after"
  readonly kind: "fail" | "crash" | "live" | "kill" | "edit" | "lockLost"
}

export const edits = ["complete", "archive", "delete", "reassign", "giveBack", "block", "move", "prioritise"] as const
export type Edit = (typeof edits)[number]

export type Step =
  | { readonly _tag: "Pass"; readonly mishaps: ReadonlyArray<Mishap> }
  /** Fault-free passes of one round each at one moment: they must come to rest. */
  | { readonly _tag: "Rest" }
  | { readonly _tag: "Wait"; readonly seconds: number }
  | {
      readonly _tag: "AddTask"
      readonly queue: "dev" | "ops"
      readonly as: "plain" | "blocked" | "subtask" | "assigned"
    }
  | { readonly _tag: "Edit"; readonly task: number; readonly edit: Edit }
  | { readonly _tag: "Kill"; readonly process: number }
  | { readonly _tag: "KillAll" }
  | { readonly _tag: "Hang"; readonly supervisor: number }
  | { readonly _tag: "Reboot" }
  | { readonly _tag: "Restart" }
  /** The lock's file was replaced: another scheduler begins while the old one knows nothing of it, … */
  | { readonly _tag: "Rival" }
  /** … and the old one makes a pass. */
  | { readonly _tag: "SleeperPass" }
  | { readonly _tag: "Tinytask"; readonly down: boolean }
  | { readonly _tag: "Disk"; readonly full: boolean }
  | { readonly _tag: "LoseLease"; readonly task: number; readonly torn: boolean }
  | { readonly _tag: "SetWall"; readonly seconds: number }
  | { readonly _tag: "PauseMachine"; readonly seconds: number }
  | { readonly _tag: "Limit"; readonly slots: number }
  | { readonly _tag: "PauseAgent"; readonly paused: boolean }
  /** Somebody else's process gets a pid that a lease names and that is free. */
  | { readonly _tag: "ReusePid" }

const sec = (count: number): number => count * 1000
const stubborn = { session: "own", carriesToken: true, obeys: [], livesMs: null } as const

/** Whether an agent that looks at its task finds it still to be done. */
const isAtWork = (tinytask: SimulatedTinytask, task: TaskId): boolean =>
  tinytask.down === null && tinytask.read(task)?.status === "working"

/** What agents do, by name. */
export const scripts = {
  completes: completesAfter(sec(20)),
  completesAtOnce: completesAfter(0, { claimAfterMs: 1 }),
  lingers: completesAfter(sec(5), { lingerMs: sec(200) }),
  fails: exitsWith(3, sec(10), { tail: "it broke" }),
  saysNothing: exitsWith(0, sec(10)),
  runsForEver: completesAfter(sec(1e6)),
  ignoresSignals: completesAfter(sec(1e6), { obeys: [] }),
  handsBack: exitsWith(0, sec(10), {
    atEnd: (tinytask, task) => {
      if (isAtWork(tinytask, task)) tinytask.change(task, { status: "idle", assignee: null })
    }
  }),
  movesOn: exitsWith(0, sec(10), {
    atEnd: (tinytask, task) => {
      if (isAtWork(tinytask, task)) tinytask.change(task, { status: "idle", assignee: null, queue: "ops" })
    }
  }),
  makesSubtask: exitsWith(0, sec(10), {
    atEnd: (tinytask, task) => {
      if (isAtWork(tinytask, task)) tinytask.add(0, { parent: task })
    }
  }),
  cantStart: completesAfter(0, { startError: "no such file" }),
  claimsLate: completesAfter(sec(10), { claimAfterMs: sec(29.5) }),
  claimsTooLate: completesAfter(sec(10), { claimAfterMs: sec(90) }),
  looksLate: completesAfter(sec(10), { lookAfterMs: sec(40) }),
  writesLate: completesAfter(sec(30), { writeAfterMs: sec(20), finishAfterMs: sec(3) }),
  finishesLate: completesAfter(sec(10), { finishAfterMs: sec(15) }),
  leavesLate: exitsWith(1, sec(10), { leaveAfterMs: sec(50) }),
  leavesChildren: completesAfter(sec(10), {
    leaves: [stubborn, { session: "agent", carriesToken: true, obeys: ["SIGTERM"], livesMs: null }]
  }),
  // Without a token it is known by its agent's session alone: it holds the slot until it ends.
  leavesChildInItsSession: exitsWith(1, sec(10), {
    leaves: [{ session: "agent", carriesToken: false, obeys: [], livesMs: sec(90) }]
  }),
  leavesChildForAWhile: exitsWith(1, sec(10), { leaves: [{ ...stubborn, livesMs: sec(60) }] })
} satisfies { readonly [name: string]: AgentScript }

export type ScriptName = keyof typeof scripts

export interface History {
  readonly steps: ReadonlyArray<Step>
  /** Which script an attempt follows is told from its task and epoch, so that shrinking changes little. */
  readonly scripts: ReadonlyArray<ScriptName>
}

const scriptNames = Object.keys(scripts).filter((name): name is ScriptName => name in scripts)

const mishap: fc.Arbitrary<Mishap> = fc.record({
  call: fc.integer({ min: 1, max: 60 }),
  moment: fc.constantFrom("before", "after"),
  kind: fc.constantFrom("fail", "fail", "crash", "crash", "live", "kill", "edit", "lockLost")
})

const index = fc.nat({ max: 9 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ _tag: fc.constant("Pass"), mishaps: fc.constant([]) }) },
  {
    weight: 6,
    arbitrary: fc.record({ _tag: fc.constant("Pass"), mishaps: fc.array(mishap, { minLength: 1, maxLength: 3 }) })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Rest") }) },
  {
    weight: 10,
    arbitrary: fc.record({ _tag: fc.constant("Wait"), seconds: fc.constantFrom(1, 5, 10, 16, 31, 60, 130, 301) })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("AddTask"),
      queue: fc.constantFrom("dev", "ops"),
      as: fc.constantFrom("plain", "plain", "blocked", "subtask", "assigned")
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant("Edit"),
      task: index,
      edit: fc.constantFrom(...edits)
    })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Kill"), process: index }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("KillAll") }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Hang"), supervisor: index }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Reboot") }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Restart") }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Rival") }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("SleeperPass") }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Tinytask"), down: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Disk"), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("LoseLease"), task: index, torn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("SetWall"), seconds: fc.constantFrom(-7200, -30, 30, 7200) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("PauseMachine"), seconds: fc.constantFrom(60, 200) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("PauseAgent"), paused: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("ReusePid") }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Limit"), slots: fc.constantFrom(0, 1, 2, 3) }) }
)

/** Two tasks to begin with, so that short histories do something. */
const beginning: ReadonlyArray<Step> = [
  { _tag: "AddTask", queue: "dev", as: "plain" },
  { _tag: "AddTask", queue: "ops", as: "assigned" }
]

export const history = (stepsMax: number): fc.Arbitrary<History> =>
  fc.record({
    steps: fc.array(step, { maxLength: stepsMax, size: "max" }).map((steps) => [...beginning, ...steps]),
    scripts: fc.array(fc.constantFrom(...scriptNames), { minLength: 1, maxLength: 5 })
  })
