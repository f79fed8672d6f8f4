/**
 * Histories that once went wrong, or would with a step of the protocol left out, shrunk: the test command runs each. A new
 * one comes from `pnpm simulate`, which prints it as data.
 */
import type { History, Mishap, Step } from "./passHistory.ts"

const dev: Step = { _tag: "AddTask", queue: "dev", as: "plain" }
const ops: Step = { _tag: "AddTask", queue: "ops", as: "assigned" }
const rest: Step = { _tag: "Rest" }
const wait = (seconds: number): Step => ({ _tag: "Wait", seconds })
const pass = (...mishaps: ReadonlyArray<Mishap>): Step => ({ _tag: "Pass", mishaps })

export const cases: { readonly [name: string]: History } = {
  "a task whose attempts file can't be read is held, not taken for somebody else's work": {
    scripts: ["completes"],
    steps: [
      dev,
      ops,
      pass(),
      { _tag: "Lease", task: 0, fault: "lost", nth: 0 },
      { _tag: "AttemptsFile", task: 0, readable: false },
      pass()
    ]
  },
  "an agent whose supervisor was killed is ended before its task is reclaimed": {
    scripts: ["completes"],
    steps: [dev, ops, pass(), wait(1), { _tag: "Kill", process: 0 }]
  },
  "a requeue that Tinytask did not take is repeated": {
    scripts: ["completes"],
    steps: [dev, ops, rest, { _tag: "Reboot" }, pass({ call: 30, moment: "before", kind: "fail" })]
  },
  "an ending that was recorded is not told by a scheduler that lost its lock": {
    scripts: ["fails"],
    steps: [
      dev,
      pass(),
      wait(15),
      pass({ call: 17, moment: "after", kind: "crash" }),
      { _tag: "Rival" },
      { _tag: "SleeperPass" }
    ]
  },
  "a start of which people destroyed every file is forgotten by a repair, and its task is theirs to give back": {
    scripts: ["completes"],
    steps: [
      dev,
      ops,
      pass(),
      { _tag: "Ask", what: "repair", task: 0, nth: 0 },
      { _tag: "Lease", task: 1, fault: "lost", nth: 0 },
      { _tag: "Kill", process: 1 },
      { _tag: "AttemptsFile", task: 3, readable: false },
      pass()
    ]
  },
  "a start that was forgotten with all of its files is one again when its lease comes back": {
    scripts: ["completes"],
    steps: [
      dev,
      ops,
      { _tag: "Pass", mishaps: [{ call: 7, moment: "before", kind: "fail" }] },
      { _tag: "Lease", task: 3, fault: "lost", nth: 0 },
      { _tag: "Ask", what: "repair", task: 0, nth: 0 },
      { _tag: "KillAll" },
      { _tag: "AttemptsFile", task: 7, readable: false },
      pass(),
      { _tag: "Lease", task: 3, fault: "back", nth: 0 }
    ]
  },
  "an ended attempt whose lease came back on another host is held there until the clock gives it up, tombstone or not":
    {
      scripts: ["completes"],
      steps: [
        dev,
        ops,
        pass(),
        wait(1),
        { _tag: "Reboot" },
        rest,
        { _tag: "Move", place: "another host", survives: false },
        { _tag: "Lease", task: 0, fault: "back", nth: 0 },
        pass({ call: 12, moment: "before", kind: "fail" })
      ]
    },
  "an ending that was cut short on another host is told to Tinytask once the clock gives it up": {
    scripts: ["completes"],
    steps: [
      dev,
      ops,
      rest,
      wait(1),
      { _tag: "Move", place: "another host", survives: false },
      { _tag: "Lease", task: 0, fault: "lost", nth: 0 },
      pass(),
      wait(301),
      pass({ call: 15, moment: "before", kind: "fail" }, { call: 16, moment: "before", kind: "fail" })
    ]
  },
  "a claim that came late from where nobody can look holds its task for a while, not for ever": {
    scripts: ["completes"],
    steps: [
      dev,
      ops,
      pass(),
      { _tag: "PauseMachine", seconds: 60 },
      pass(),
      { _tag: "Move", place: "another host", survives: true },
      wait(1)
    ]
  },
  "a claim that comes after a later attempt has ended is swept, not judged": {
    scripts: ["completesAtOnce", "completes"],
    steps: [
      dev,
      ops,
      rest,
      { _tag: "Hang", supervisor: 3, how: "spins" },
      wait(130),
      { _tag: "TinytaskAnew" },
      pass(),
      wait(1),
      rest,
      { _tag: "Wake", supervisor: 0 },
      { _tag: "AddTask", queue: "dev", as: "assigned" },
      pass()
    ]
  },
  "below a torn lease the claims of earlier attempts stay, and nobody plans to sweep them": {
    scripts: ["completes"],
    steps: [
      dev,
      { _tag: "AddTask", queue: "ops", as: "assigned" },
      { _tag: "AddTask", queue: "ops", as: "blocked" },
      pass({ call: 20, moment: "after", kind: "fail" }),
      { _tag: "PauseMachine", seconds: 60 },
      pass({ call: 1, moment: "before", kind: "kill" }),
      wait(1),
      { _tag: "TinytaskAnew" },
      { _tag: "Lease", task: 3, fault: "torn", nth: 0 },
      rest
    ]
  },
  "what a claim's agent left behind is stopped, though a lease that came back from another host contradicts the claim":
    {
      scripts: ["leavesChildren", "completes", "leavesLate", "completes", "completes"],
      steps: [
        dev,
        { _tag: "AddTask", queue: "ops", as: "assigned" },
        pass(),
        wait(16),
        rest,
        { _tag: "Move", place: "another host", survives: false },
        { _tag: "TinytaskAnew" },
        pass(),
        wait(60),
        { _tag: "Lease", task: 7, fault: "back", nth: 2 }
      ]
    },
  "a lease that comes back after its number went to another task is not judged again": {
    scripts: ["completes"],
    steps: [
      dev,
      { _tag: "AddTask", queue: "ops", as: "assigned" },
      pass(),
      wait(1),
      { _tag: "Reboot" },
      { _tag: "TinytaskAnew" },
      pass({ call: 11, moment: "before", kind: "fail" }),
      { _tag: "Lease", task: 0, fault: "back", nth: 2 },
      pass({ call: 14, moment: "after", kind: "fail" }, { call: 3, moment: "before", kind: "edit" })
    ]
  },
  "a supervisor that wrote its ending and hangs holds nothing, though its lease comes back over the claim of another": {
    scripts: ["leavesLate"],
    steps: [
      dev,
      ops,
      rest,
      wait(31),
      { _tag: "Hang", supervisor: 7, how: "spins" },
      pass(),
      wait(301),
      pass({ call: 4, moment: "before", kind: "edit" }),
      { _tag: "Lease", task: 7, fault: "back", nth: 4 },
      wait(1)
    ]
  },
  "a repair asks the claim of which task the latest start was, not an older lease that came back": {
    scripts: ["completesAtOnce", "completes"],
    steps: [
      dev,
      ops,
      rest,
      wait(1),
      { _tag: "TinytaskAnew" },
      pass(),
      { _tag: "Lease", task: 0, fault: "back", nth: 1 },
      { _tag: "AttemptsFile", task: 0, readable: false },
      wait(1),
      { _tag: "Ask", what: "repair", task: 0, nth: 0 },
      pass()
    ]
  },
  "a start that wakes its complete parent is followed by a look at the parent's attempt, and then by nothing": {
    scripts: ["lingers"],
    steps: [
      dev,
      ops,
      pass(),
      dev,
      { _tag: "AddTask", queue: "dev", as: "subtask" },
      wait(31),
      { _tag: "Kill", process: 1 },
      rest
    ]
  },
  "what an agent tells Tinytask in the moment of a sleeper's pass is not the sleeper's doing": {
    scripts: ["completesAtOnce", "completes"],
    steps: [
      dev,
      ops,
      pass(),
      { _tag: "Hang", supervisor: 0, how: "spins" },
      wait(1),
      { _tag: "Rival" },
      { _tag: "Wake", supervisor: 0 },
      { _tag: "SleeperPass" }
    ]
  }
}
