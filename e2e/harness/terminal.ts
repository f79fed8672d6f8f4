/** A command line on a pseudo terminal (util-linux' script(1)), and a person who reads what it shows before typing. */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import type { Ground } from "./Ground.ts"
import { program } from "./program.ts"
import { until } from "./until.ts"

export const hasScript = existsSync("/usr/bin/script")

export const keys = {
  enter: "\r",
  down: "\u001b[B",
  escape: "\u001b",
  interrupt: "\u0003",
  clearLine: "\u0015"
} as const

export interface Person {
  /** Waits until this is shown after what was shown before, then types. */
  readonly sees: (text: string, typed: string) => Promise<void>
  readonly ended: Promise<{ readonly code: number | null; readonly shown: string }>
}

export const onTerminal = (ground: Ground, args: ReadonlyArray<string>): Person => {
  const quoted = [process.execPath, "--", program, ...args].map((word) => `'${word}'`).join(" ")
  const child = spawn("script", ["-qec", `stty cols 200; exec ${quoted}`, "/dev/null"], {
    cwd: ground.base,
    env: ground.environment({ TERM: "xterm-256color", NO_COLOR: "1" }),
    stdio: ["pipe", "pipe", "inherit"]
  })
  let shown = ""
  let read = 0
  child.stdout.setEncoding("utf8").on("data", (text: string) => (shown += text))
  // It may end before it has read everything.
  child.stdin.on("error", () => {})
  const ended = new Promise<{ readonly code: number | null; readonly shown: string }>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, shown }))
  })
  return {
    ended,
    sees: async (text, typed) => {
      await until(`the terminal shows ${text}`, () => {
        const at = shown.indexOf(text, read)
        if (at >= 0) {
          read = at + text.length
          return true
        }
        if (child.exitCode === null) return false
        throw new Error(`it ended without showing ${text}; it showed:\n${shown.slice(read)}`)
      })
      child.stdin.write(typed)
    }
  }
}
