/** What agents do in a history, by name: everything that agents and their supervisors were ever seen to do, and worse. */
import { completesAfter, exitsWith } from "../src/simulation/api.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { AgentScript, SimulatedTinytask } from "../src/simulation/api.ts"

const sec = (count: number): number => count * 1000
const stubborn = { session: "own", carriesToken: true, obeys: [], livesMs: null } as const

/** Whether an agent that looks at its task finds it still to be done. */
const isAtWork = (tinytask: SimulatedTinytask, task: TaskId): boolean =>
  tinytask.down === null && tinytask.read(task)?.status === "working"

export const scripts = {
  completes: completesAfter(sec(20)),
  completesAtOnce: completesAfter(0, { claimAfterMs: 1 }),
  lingers: completesAfter(sec(5), { lingerMs: sec(200) }),
  fails: exitsWith(3, sec(10), { tail: "it broke" }),
  saysNothing: exitsWith(0, sec(10)),
  runsForEver: completesAfter(sec(1e6)),
  ignoresSignals: completesAfter(sec(1e6), { obeys: [] }),
  fallsSilent: completesAfter(sec(1e6), { quietAfterMs: sec(5) }),
  isSilentForAWhile: completesAfter(sec(50), { quietAfterMs: sec(20) }),
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
  neverClaims: completesAfter(0, { claimAfterMs: null }),
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

export const scriptNames = Object.keys(scripts).filter((name): name is ScriptName => name in scripts)
