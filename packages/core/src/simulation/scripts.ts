/** What the processes of one attempt will do: the scripts that simulated supervisors and agents follow. */
import type { TaskId } from "../domain/identifiers.ts"
import type { AgentExit } from "../domain/Lease.ts"
import type { Signal } from "../ports/ProcessTable.ts"
import type { SimulatedTinytask } from "./SimulatedTinytask.ts"

/** A process that an agent starts and does not wait for. */
export interface Leftover {
  /** "own": it called setsid(2); "agent": it stays in its agent's session and group. */
  readonly session: "own" | "agent"
  /** Whether it kept the environment it was started with. */
  readonly carriesToken: boolean
  readonly obeys: ReadonlyArray<Signal>
  /** How long it lives; null = until it is killed. */
  readonly livesMs: number | null
}

/** What the processes of one attempt do, and when. Milliseconds from the launch on, or from the step before. */
export interface AgentScript {
  /** After how long its supervisor claims; null = it never comes to it. */
  readonly claimAfterMs: number | null
  /** How long the supervisor takes from its claim to its look at the lease, … */
  readonly lookAfterMs: number
  /** … from the agent's start to the first write, … */
  readonly writeAfterMs: number
  /** … from the agent's exit to the last one, … */
  readonly finishAfterMs: number
  /** … and from that to its own exit. */
  readonly leaveAfterMs: number
  /** Why the agent can't be started; null = it can. */
  readonly startError: string | null
  /** How long the agent works, and how long it then takes to exit. */
  readonly runMs: number
  readonly lingerMs: number
  /** After how long it says nothing any more; null = it goes on talking. */
  readonly quietAfterMs: number | null
  /** How it ends, and what its events say of that. */
  readonly exit: Pick<AgentExit, "code" | "signal" | "stream">
  /** The end of its output. */
  readonly tail: string
  /** What the agent does to Tinytask when its work is done. */
  readonly atEnd: (tinytask: SimulatedTinytask, taskId: TaskId) => void
  /** The signals that end it; SIGKILL always does. */
  readonly obeys: ReadonlyArray<Signal>
  readonly leaves: ReadonlyArray<Leftover>
}

/** An agent that works for a while, completes its task and exits 0. Nobody answers it when Tinytask is down. */
export const completesAfter = (runMs: number, fields: Partial<AgentScript> = {}): AgentScript => ({
  claimAfterMs: 10,
  lookAfterMs: 0,
  writeAfterMs: 0,
  finishAfterMs: 0,
  leaveAfterMs: 0,
  startError: null,
  runMs,
  lingerMs: 0,
  quietAfterMs: null,
  exit: { code: 0, signal: null },
  tail: "",
  atEnd: (tinytask, taskId) => {
    if (tinytask.down === null) tinytask.change(taskId, { status: "complete" })
  },
  obeys: ["SIGINT", "SIGTERM"],
  leaves: [],
  ...fields
})

/** An agent that exits with a code and tells Tinytask nothing. */
export const exitsWith = (code: number, runMs: number, fields: Partial<AgentScript> = {}): AgentScript =>
  completesAfter(runMs, { exit: { code, signal: null }, atEnd: () => undefined, ...fields })
