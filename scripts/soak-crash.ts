/**
 * More than the test command has time for: `pnpm soak:crash [repeats]` visits every crash point of e2e/crash three times
 * unless told otherwise, however long it takes.
 */
import { spawn } from "node:child_process"

const asked = process.argv[2] ?? "3"

if (/^[1-9]\d*$/.test(asked)) {
  const child = spawn("vitest", ["run", "--project", "crash", "--testTimeout=0", "--hookTimeout=0"], {
    stdio: "inherit",
    env: { ...process.env, CRASH_REPEATS: asked, CRASH_SECONDS: "Infinity" }
  })
  child.on("error", (error) => {
    process.stderr.write(`vitest: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on("exit", (code) => {
    process.exitCode = code ?? 1
  })
} else {
  process.stderr.write(`soak:crash [repeats]: a whole number from 1, not ${asked}\n`)
  process.exitCode = 2
}
