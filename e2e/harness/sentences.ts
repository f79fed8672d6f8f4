/** What a command told a person on stderr: beside the log of a pass, one sentence per trouble and never a stack trace. */
import { expect } from "vitest"
import { type Ended, linesOf } from "./program.ts"

const isLogLine = (line: string): boolean => /^\d{8} \d\d:\d\d:\d\d (?:INFO|DEBUG) /.test(line)

/** The troubles, without the time of a log line. */
export const troublesOf = (stderr: string): ReadonlyArray<string> =>
  linesOf(stderr)
    .filter((line) => !isLogLine(line))
    .map((line) => line.replace(/^\d{8} \d\d:\d\d:\d\d (?:WARN|ERROR) +/, ""))

export const stackTrace = /^\s+at |node:internal|This is a fault of TinyScheduler/m

/** It ended with this code and said this one sentence. */
export const expectTrouble = (ended: Ended, code: number, says: RegExp): void => {
  expect({ code: ended.code, troubles: troublesOf(ended.stderr) }).toEqual({
    code,
    troubles: [expect.stringMatching(says)]
  })
  expect(ended.stderr).not.toMatch(stackTrace)
}
