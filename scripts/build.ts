/**
 * Leaves one runnable file, packages/cli/dist/tinyscheduler.js, that needs nothing beside it, and the core's modules and
 * types for those who embed it. CommonJS: its modules are loaded when a command needs them, Node's own too; as an
 * ES module the file would load all of Node's at its start (measured: five times the time of a bare Node).
 */
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import type { BuildOptions } from "esbuild"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inRoot = (path: string): string => join(root, path)
const outfile = inRoot("packages/cli/dist/tinyscheduler.js")

const common = {
  bundle: true,
  platform: "node",
  target: "node22.19",
  format: "cjs",
  minify: true,
  // jsonc-parser's other form hides its files from the bundler.
  mainFields: ["module", "main"],
  conditions: ["source"],
  legalComments: "none",
  logLevel: "warning",
  // Only sources ask where they stand; the bundle carries what they would look for.
  define: { "import.meta.url": "undefined", "import.meta.resolve": "undefined" }
} as const satisfies BuildOptions

const supervisor = await build({
  ...common,
  entryPoints: [inRoot("packages/adapters-process/src/supervisor/bundled.ts")],
  write: false
})

rmSync(dirname(outfile), { recursive: true, force: true })
mkdirSync(dirname(outfile), { recursive: true })
await build({
  ...common,
  entryPoints: [inRoot("packages/cli/src/bin.ts")],
  outfile,
  define: {
    ...common.define,
    STAND_IN_AGENT: JSON.stringify(readFileSync(inRoot("examples/stand-in-agent/goose.mjs"), "utf8")),
    SUPERVISOR_PROGRAM: JSON.stringify(supervisor.outputFiles[0]?.text)
  },
  // "--": what follows is for us; Node would take --env-file for its own, wherever it stands.
  banner: { js: "#!/usr/bin/env -S node --" }
})
chmodSync(outfile, 0o755)
// The package is of ES modules; its bundle is not.
writeFileSync(join(dirname(outfile), "package.json"), '{ "type": "commonjs" }\n')
execFileSync(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-b", "packages/core"], {
  cwd: root,
  stdio: "inherit"
})
process.stdout.write(`packages/cli/dist/tinyscheduler.js ${Math.round(statSync(outfile).size / 1024)} kB\n`)
