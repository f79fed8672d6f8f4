/** What `repair` tells: a paragraph per finding for people, one object for programs. */
import { readFileSync } from "node:fs"
import * as Result from "effect/Result"
import { describeFinding } from "@tinyscheduler/core/repair/describeFinding"
import { careOf, pidsOf } from "@tinyscheduler/core/repair/Finding"
import type { Finding } from "@tinyscheduler/core/repair/Finding"
import type { RepairReport } from "@tinyscheduler/core/repair/repair"
import { escapeShort, escapeText } from "./escape.ts"

/**
 * What became of a finding. "asked": the scheduler that holds the lock mends it. "would-mend": nobody has yet. "left": for
 * a person. "noted": nobody has to do anything.
 */
type State = "mended" | "asked" | "would-mend" | "failed" | "left" | "noted"

/**
 * The object that `--json` prints. `version` grows when a field changes its meaning or goes; new fields and new values of
 * `kind` may come without that. The exit code is 1 when a finding is `would-mend`, `failed` or `left`, or Tinytask could
 * not be read.
 */
export interface RepairOutput {
  readonly version: 1
  readonly tinytaskProblem: string | null
  /** What came of asking the scheduler that holds the lock; null where nobody had to be asked. */
  readonly asked: string | null
  readonly findings: ReadonlyArray<ToldFinding>
}

export interface ToldFinding {
  readonly kind: Finding["_tag"]
  readonly state: State
  /** Null where it is about no task. */
  readonly taskId: number | null
  readonly found: string
  readonly because: string
  readonly todo: string
  /** Why it could not be mended. */
  readonly error: string | null
  readonly processes: ReadonlyArray<{ readonly pid: number; readonly command: string | null }>
}

/** Null when it is gone or can't be read. */
const commandOf = (pid: number): string | null => {
  const read = Result.try(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"))
  return Result.isSuccess(read) && read.success !== "" ? read.success.replaceAll("\0", " ").trim() : null
}

const processesShown = 8

const told = (finding: Finding, state: State, error: string | null = null): ToldFinding => ({
  kind: finding._tag,
  state,
  taskId: "taskId" in finding ? finding.taskId : null,
  ...describeFinding(finding),
  error,
  processes: pidsOf(finding)
    .slice(0, processesShown)
    .map((pid) => ({ pid, command: commandOf(pid) }))
})

/** Of what was found and not mended. */
const stateOf = (finding: Finding): State => {
  const care = careOf(finding)
  return care === "mend" ? "would-mend" : care === "person" ? "left" : "noted"
}

/** What a dry run tells; and with `asked` what somebody else is about to mend. */
export const outputOfFound = (
  found: ReadonlyArray<Finding>,
  tinytaskProblem: string | null,
  asked: string | null = null
): RepairOutput => ({
  version: 1,
  tinytaskProblem,
  asked,
  findings: found.map((finding) =>
    told(finding, asked !== null && careOf(finding) === "mend" ? "asked" : stateOf(finding))
  )
})

export const outputOfReport = (
  { failed, left, mended, tinytaskProblem }: RepairReport,
  asked: string | null = null
): RepairOutput => ({
  version: 1,
  tinytaskProblem,
  asked,
  findings: [
    ...mended.map((finding) => told(finding, "mended")),
    ...failed.map(({ error, finding }) => told(finding, "failed", error)),
    ...left.map((finding) => told(finding, stateOf(finding)))
  ]
})

const labels: { readonly [K in State]: string } = {
  mended: "done",
  asked: "asked",
  "would-mend": "would do",
  failed: "failed",
  left: "you can",
  noted: "to do"
}

const line = (label: string, text: string): string => `${label.padEnd(8)}  ${escapeText(text)}`

const paragraph = ({ because, error, found, processes, state, todo }: ToldFinding): string =>
  [
    line("found", found),
    line("because", because),
    line(labels[state], error === null ? todo : `${todo}: ${error}`),
    ...processes.map(({ command, pid }) => `          ${pid}  ${escapeShort(command ?? "(can't be read)", 100)}`)
  ].join("\n")

const countText = ({ findings, tinytaskProblem }: RepairOutput): string => {
  const count = (state: State): number => findings.filter((finding) => finding.state === state).length
  const parts: ReadonlyArray<readonly [number, string]> = [
    [count("mended"), "mended"],
    [count("asked"), "asked for"],
    [count("would-mend"), "to mend"],
    [count("failed"), "failed"],
    [count("left"), "left for you"],
    [count("noted"), "noted"]
  ]
  const some = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`)
  if (some.length > 0) return some.join(", ")
  return tinytaskProblem === null ? "nothing to repair" : "nothing to repair among the files of the state"
}

export const repairText = (output: RepairOutput): string =>
  [
    ...output.findings.map(paragraph),
    output.asked === null ? countText(output) : `${countText(output)}; ${escapeText(output.asked)}`
  ].join("\n\n")

/** Whether something is left to be done by somebody. */
export const isUnfinished = ({ findings, tinytaskProblem }: RepairOutput): boolean =>
  tinytaskProblem !== null || findings.some(({ state }) => state !== "mended" && state !== "asked" && state !== "noted")
