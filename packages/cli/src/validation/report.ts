/** What `validate-config` tells: a line per check for people, one object for programs. */
import { escapeText } from "../output/escape.ts"
import { counted } from "./Check.ts"
import type { Check } from "./Check.ts"
import type { Mended } from "../starter/mend.ts"

/**
 * The object that `--json` prints. `version` grows when a field changes its meaning or goes; new fields and new values
 * of `area` may come without that. `made` and `closed` are empty without --fix. The exit code is 2 when `errors` > 0.
 */
export interface ValidationReport {
  readonly version: 1
  readonly errors: number
  readonly warnings: number
  /** Paths that --fix made. */
  readonly made: ReadonlyArray<string>
  /** Directories whose mode --fix set to 0700. */
  readonly closed: ReadonlyArray<string>
  readonly checks: ReadonlyArray<Check>
}

export const reportOf = ({ closed, failed, made }: Mended, checks: ReadonlyArray<Check>): ValidationReport => {
  const all = [...failed, ...checks]
  const count = (level: Check["level"]): number => all.filter((check) => check.level === level).length
  return { version: 1, errors: count("error"), warnings: count("warning"), made, closed, checks: all }
}

const line = ({ level, says, todo, what }: Check): string =>
  `${level.padEnd(8)} ${escapeText(what)}: ${escapeText(says)}${todo === null ? "" : ` (${escapeText(todo)})`}`

export const reportText = ({ checks, closed, errors, made, warnings }: ValidationReport): string =>
  [
    ...made.map((path) => `made     ${escapeText(path)}`),
    ...closed.map((path) => `closed   ${escapeText(path)}`),
    ...checks.map(line),
    `${counted(errors, "error")}, ${counted(warnings, "warning")}`
  ].join("\n")
