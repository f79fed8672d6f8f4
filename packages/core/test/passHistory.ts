/**
 * Whole histories of a machine as data: tasks come, agents do all that agents do, people edit, processes die, disks fill,
 * clocks jump, schedulers are killed at any call. A history shrinks like any array, and a shrunk one can be read.
 */
import * as fc from "fast-check"
import { asks } from "./passHistoryRequests.ts"
import type { Ask } from "./passHistoryRequests.ts"
import { scriptNames } from "./passHistoryScripts.ts"
import type { ScriptName } from "./passHistoryScripts.ts"
import { changeNames } from "./passHistorySettings.ts"
import type { Change } from "./passHistorySettings.ts"

export const edits = [
  "complete",
  "archive",
  "delete",
  "reassign",
  "giveBack",
  "block",
  "move",
  "prioritise",
  "addSubtask"
] as const
export type Edit = (typeof edits)[number]

/** Where schedulers may run. */
export const places = {
  home: { host: "simulated/1", pidNs: 1 },
  container: { host: "simulated/1", pidNs: 2 },
  "another host": { host: "simulated/2", pidNs: 1 }
} as const

const mishapKinds = [
  "fail",
  "crash",
  "live",
  "kill",
  "edit",
  "lockLost",
  "overtake",
  "clock",
  "tinytaskDown",
  "diskFull"
] as const

/** What happens at a call of a pass, by its number: it goes wrong, or the world changes right then. */
export interface Mishap {
  readonly call: number
  readonly moment: "before" | "after"
  readonly kind: (typeof mishapKinds)[number]
}

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
  | { readonly _tag: "Hang"; readonly supervisor: number; readonly how: "spins" | "stopped" }
  /** A supervisor that hangs goes on where it was, whatever became of its attempt. */
  | { readonly _tag: "Wake"; readonly supervisor: number }
  | { readonly _tag: "Reboot" }
  | { readonly _tag: "Restart" }
  /** The scheduler goes on beside the same files on another host or in another pid namespace; what ran there lives on, or dies. */
  | { readonly _tag: "Move"; readonly place: keyof typeof places; readonly survives: boolean }
  /** The lock's file was replaced: another scheduler begins while the old one knows nothing of it, … */
  | { readonly _tag: "Rival" }
  /** … and the old one makes a pass. */
  | { readonly _tag: "SleeperPass" }
  | { readonly _tag: "Tinytask"; readonly down: boolean }
  /** A new Tinytask under the same address: its numbers begin anew. */
  | { readonly _tag: "TinytaskAnew" }
  | { readonly _tag: "Disk"; readonly full: boolean }
  /** A lease is lost or torn, or one that stood here before is back: a write that came late, or twice. */
  | { readonly _tag: "Lease"; readonly task: number; readonly fault: "lost" | "torn" | "back"; readonly nth: number }
  | { readonly _tag: "AttemptsFile"; readonly task: number; readonly readable: boolean }
  /** A lease of the Python version, whose process lives for a while. */
  | { readonly _tag: "LegacyLease"; readonly task: number; readonly seconds: number }
  | { readonly _tag: "SetWall"; readonly seconds: number }
  | { readonly _tag: "PauseMachine"; readonly seconds: number }
  | { readonly _tag: "Configure"; readonly change: Change }
  | { readonly _tag: "PauseAgent"; readonly paused: boolean }
  /** A command asks for something. */
  | { readonly _tag: "Ask"; readonly what: Ask; readonly task: number; readonly nth: number }
  /** Somebody else's process gets a pid that a lease names and that is free. */
  | { readonly _tag: "ReusePid" }

export interface History {
  readonly steps: ReadonlyArray<Step>
  /** Which script an attempt follows is told from its task and epoch, so that shrinking changes little. */
  readonly scripts: ReadonlyArray<ScriptName>
}

/** The longest history that is drawn. */
export const stepsMax = 50

const mishap: fc.Arbitrary<Mishap> = fc.record({
  // Most passes make a dozen calls, some a hundred.
  call: fc.oneof(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 120 })),
  moment: fc.constantFrom("before", "after"),
  kind: fc.constantFrom("fail", "fail", "crash", "crash", ...mishapKinds)
})

const index = fc.nat({ max: 9 })
const always = <const A>(value: A): fc.Arbitrary<A> => fc.constant(value)
const among = <const A>(...values: ReadonlyArray<A>): fc.Arbitrary<A> => fc.constantFrom(...values)

const steps: ReadonlyArray<readonly [weight: number, step: fc.Arbitrary<Step>]> = [
  [10, fc.record({ _tag: always("Pass"), mishaps: fc.constant([]) })],
  [8, fc.record({ _tag: always("Pass"), mishaps: fc.array(mishap, { minLength: 1, maxLength: 3 }) })],
  [4, fc.record({ _tag: always("Rest") })],
  [11, fc.record({ _tag: always("Wait"), seconds: among(1, 5, 10, 16, 31, 60, 130, 301) })],
  [
    6,
    fc.record({
      _tag: always("AddTask"),
      queue: among("dev", "ops"),
      as: among("plain", "plain", "blocked", "subtask", "assigned")
    })
  ],
  [3, fc.record({ _tag: always("Edit"), task: index, edit: among(...edits) })],
  [4, fc.record({ _tag: always("Kill"), process: index })],
  [1, fc.record({ _tag: always("KillAll") })],
  [2, fc.record({ _tag: always("Hang"), supervisor: index, how: among("spins", "stopped") })],
  [2, fc.record({ _tag: always("Wake"), supervisor: index })],
  [1, fc.record({ _tag: always("Reboot") })],
  [2, fc.record({ _tag: always("Restart") })],
  [
    1,
    fc.record({
      _tag: always("Move"),
      place: among("home", "home", "container", "another host"),
      survives: fc.boolean()
    })
  ],
  [1, fc.record({ _tag: always("Rival") })],
  [1, fc.record({ _tag: always("SleeperPass") })],
  [2, fc.record({ _tag: always("Tinytask"), down: fc.boolean() })],
  [1, fc.record({ _tag: always("TinytaskAnew") })],
  [2, fc.record({ _tag: always("Disk"), full: fc.boolean() })],
  [
    2,
    fc.record({
      _tag: always("Lease"),
      task: index,
      fault: among("lost", "torn", "back", "back"),
      nth: fc.nat({ max: 4 })
    })
  ],
  [1, fc.record({ _tag: always("AttemptsFile"), task: index, readable: fc.boolean() })],
  [1, fc.record({ _tag: always("SetWall"), seconds: among(-7200, -30, 30, 7200) })],
  [1, fc.record({ _tag: always("PauseMachine"), seconds: among(60, 200) })],
  [1, fc.record({ _tag: always("PauseAgent"), paused: fc.boolean() })],
  [3, fc.record({ _tag: always("Ask"), what: among(...asks), task: index, nth: fc.nat({ max: 4 }) })],
  [2, fc.record({ _tag: always("ReusePid") })],
  [3, fc.record({ _tag: always("Configure"), change: among(...changeNames) })]
]

/** Two tasks to begin with, so that short histories do something. */
const beginning: ReadonlyArray<Step> = [
  { _tag: "AddTask", queue: "dev", as: "plain" },
  { _tag: "AddTask", queue: "ops", as: "assigned" }
]

export const history: fc.Arbitrary<History> = fc.record({
  steps: fc
    .array(fc.oneof(...steps.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
      maxLength: stepsMax,
      size: "max"
    })
    .map((drawn) => [...beginning, ...drawn]),
  scripts: fc.array(among(...scriptNames), { minLength: 1, maxLength: 5 })
})
