/**
 * More than the test command has time for: `pnpm soak [histories]`, 200 000 unless given, shared among the processors, each
 * with a seed of its own; then half as many worlds for every property of single plans.
 */
import { spawn } from "node:child_process"
import { randomInt } from "node:crypto"
import { availableParallelism } from "node:os"

const asked = process.argv[2] ?? "200000"
const histories = Number(asked)

const run = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } })
    child.on("error", (error) => {
      process.stderr.write(`${command}: ${error.message}\n`)
      resolve(false)
    })
    child.on("exit", (code) => {
      resolve(code === 0)
    })
  })

if (/^[1-9]\d*$/.test(asked)) {
  const shares = Math.min(availableParallelism(), histories)
  process.stdout.write(`${histories} histories in ${shares} processes\n`)
  const runs = String(Math.ceil(histories / shares))
  const simulated = await Promise.all(
    Array.from({ length: shares }, () =>
      run(process.execPath, [
        "--conditions=source",
        "scripts/simulate.ts",
        "--seed",
        String(randomInt(2 ** 31)),
        "--runs",
        runs
      ])
    )
  )
  const worlds = String(Math.ceil(histories / 2))
  const seed = String(randomInt(2 ** 31))
  process.stdout.write(`${worlds} worlds per property, seed ${seed}\n`)
  const properties = ["--project", "property", "--testTimeout=0", "packages/core/test/reconcile.property.ts"]
  const held = await run("vitest", ["run", ...properties], { RUNS: worlds, SEED: seed })
  process.exitCode = held && simulated.every(Boolean) ? 0 : 1
} else {
  process.stderr.write(`soak [histories]: a whole number from 1, not ${asked}\n`)
  process.exitCode = 2
}
