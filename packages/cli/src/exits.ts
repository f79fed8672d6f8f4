/** What a failure is to the person who ran the command: one sentence, a way out, an exit code. The one table of both. */
import type { ConfigurationError } from "./settings/ConfigurationError.ts"

export const exitCodes = {
  done: 0,
  passHadErrors: 1,
  usage: 2,
  lockHeld: 3,
  /** `plan --detailed-exitcode`: something would be done, or, with something supposed, would be otherwise. */
  changesPlanned: 5,
  interrupted: 130
} as const

/** A command that has told everything itself and only sets the code. */
export class ExitWith extends Error {
  readonly _tag = "ExitWith"
  readonly code: number
  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

interface Told {
  readonly code: number
  readonly sentences: ReadonlyArray<string>
}

type Failure = { readonly _tag: string; readonly message: string } | ConfigurationError

const hints: Readonly<Record<string, { readonly code: number; readonly hint: string }>> = {
  ConfigurationError: { code: exitCodes.usage, hint: "" },
  EndpointRefused: { code: exitCodes.usage, hint: "" },
  LockHeld: { code: exitCodes.lockHeld, hint: "It goes on; stop it first if this one is to run." },
  LockUnavailable: { code: exitCodes.passHadErrors, hint: "" },
  LockLost: { code: exitCodes.passHadErrors, hint: "Nothing more was written; start the scheduler again." },
  Refused: { code: exitCodes.passHadErrors, hint: "" },
  HostUnidentified: {
    code: exitCodes.passHadErrors,
    hint: "Without it no process can be told from another: nothing was started."
  },
  ProcessesUnreadable: {
    code: exitCodes.passHadErrors,
    hint: "Without it nobody's death can be proven: nothing was done."
  },
  StateUnreadable: {
    code: exitCodes.passHadErrors,
    hint: "Make it readable for this user; tinyscheduler repair --dry-run says what can be mended."
  },
  StateUnwritable: {
    code: exitCodes.passHadErrors,
    hint: "Make room or give this user the right to write, then run again."
  },
  EmbeddedServerError: { code: exitCodes.passHadErrors, hint: "Choose another with --port or --host." },
  EmbeddedStoreError: {
    code: exitCodes.passHadErrors,
    hint: "Make room or give this user the right to write, or name another with --db."
  },
  TaskQueueUnreachable: {
    code: exitCodes.passHadErrors,
    hint: "Start Tinytask there, or name another with --mcp-endpoint."
  },
  TaskQueueRejected: { code: exitCodes.passHadErrors, hint: "" }
}

/** Null when the failure is none that we expect: then it is a fault of ours and shown whole. */
export const tell = (failure: unknown): Told | null => {
  if (!isFailure(failure)) return null
  const known = hints[failure._tag]
  if (known === undefined) return null
  const lines = "faults" in failure ? failure.faults : [failure.message]
  return {
    code: known.code,
    sentences: known.hint === "" ? lines : [...lines.slice(0, -1), `${lines.at(-1) ?? ""}. ${known.hint}`]
  }
}

const isFailure = (failure: unknown): failure is Failure =>
  typeof failure === "object" &&
  failure !== null &&
  "_tag" in failure &&
  typeof failure._tag === "string" &&
  "message" in failure &&
  typeof failure.message === "string"
