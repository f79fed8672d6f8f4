/** How stderr wants its log lines: coloured on a terminal, with their priority where it is systemd's journal. */
import { fstatSync } from "node:fs"
import { styleText } from "node:util"

/** What stderr is, and what the environment says about it. */
export interface LogStream {
  readonly coloured: boolean
  readonly journal: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** systemd names device and inode of the stream that it gave to a service: it may have been redirected since. */
const isJournal = (named: string | undefined): boolean => {
  if (named === undefined) return false
  const { dev, ino } = fstatSync(2, { bigint: true })
  return named === `${dev}:${ino}`
}

export const stderrStream = (environment: Environment): LogStream => ({
  coloured: process.stderr.isTTY && (environment["NO_COLOR"] ?? "") === "" && environment["TERM"] !== "dumb",
  journal: isJournal(environment["JOURNAL_STREAM"])
})

const colours = { DEBUG: "dim", INFO: "green", WARN: "yellow", ERROR: "red" } as const
const priorities = { DEBUG: 7, INFO: 6, WARN: 4, ERROR: 3 } as const

const isLevel = (level: string): level is keyof typeof colours => level in colours

/** The level as it is shown on this stream. */
export const paintFor =
  ({ coloured }: LogStream, level: string) =>
  (text: string): string =>
    coloured && isLevel(level) ? styleText(colours[level], text, { validateStream: false }) : text

/** What the journal takes off a line, and stores as its priority. */
export const prefixFor = ({ journal }: LogStream, level: string): string =>
  journal && isLevel(level) ? `<${priorities[level]}>` : ""
