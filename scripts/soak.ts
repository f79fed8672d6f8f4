/** The property tests over many more worlds than the test command visits: `pnpm soak [worlds]`, 100 000 unless given. */
import { spawnSync } from "node:child_process"

const worlds = process.argv[2] ?? "100000"
process.stdout.write(`${worlds} worlds per property\n`)
const { status } = spawnSync("vitest", ["run", "--project", "property", "--testTimeout=0"], {
  stdio: "inherit",
  env: { ...process.env, RUNS: worlds }
})
process.exitCode = status ?? 1
