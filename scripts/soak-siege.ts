/**
 * A longer siege than the test command has time for: `pnpm soak:siege [kills] [tasks]`, 300 real SIGKILLs over 500 tasks
 * unless given. SEED repeats one as far as chance can be repeated.
 */
import { spawn } from "node:child_process"

const [kills = "300", tasks = "500"] = process.argv.slice(2)

if ([kills, tasks].every((count) => /^[1-9]\d*$/.test(count))) {
  const child = spawn("vitest", ["run", "--project", "e2e", "--testTimeout=0", "e2e/siege.test.ts"], {
    stdio: "inherit",
    env: { ...process.env, SIEGE_KILLS: kills, SIEGE_TASKS: tasks }
  })
  child.on("error", (error) => {
    process.stderr.write(`vitest can't be started: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on("exit", (code) => {
    process.exitCode = code ?? 1
  })
} else {
  process.stderr.write(`soak:siege [kills] [tasks]: whole numbers from 1, not ${kills} ${tasks}\n`)
  process.exitCode = 2
}
