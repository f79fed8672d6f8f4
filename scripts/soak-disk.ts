/**
 * What the test command only takes a sample of: `pnpm soak:disk` lets every file call of a pass and of a supervisor fail in
 * every way (a fault's name, or a part of it, runs that alone); `pnpm soak:power [cuts]` cuts the power, 1 000 times unless given.
 */
import { spawn } from "node:child_process"

const kinds = {
  calls: { file: "e2e/diskCalls.test.ts", variable: "DISK_FAULTS", usual: "all" },
  power: { file: "e2e/powerCut.test.ts", variable: "POWER_CUTS", usual: "1000" }
} as const

const [, , kind, asked] = process.argv
if (kind === "calls" || kind === "power") {
  const { file, usual, variable } = kinds[kind]
  const env = { ...process.env, [variable]: asked ?? usual }
  const child = spawn("vitest", ["run", "--project", "e2e", file], { stdio: "inherit", env })
  child.on("exit", (code) => {
    process.exitCode = code ?? 1
  })
} else {
  process.stderr.write("soak-disk calls [fault] or soak-disk power [cuts]\n")
  process.exitCode = 2
}
