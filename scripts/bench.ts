/** Every benchmark, one after another; each prints ratios or counts measured within its own run. */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const directory = join(dirname(dirname(fileURLToPath(import.meta.url))), "bench")
const only = process.argv[2]
for (const name of readdirSync(directory)
  .filter((file) => file.endsWith(".ts"))
  .sort()) {
  if (only !== undefined && name !== `${only}.ts`) continue
  process.stdout.write(`\n== ${name}\n`)
  const { status } = spawnSync(process.execPath, ["--conditions=source", join(directory, name)], { stdio: "inherit" })
  if (status !== 0) process.exitCode = 1
}
