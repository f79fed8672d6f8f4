/** Leaves one runnable file, packages/cli/dist/tinyscheduler.js, and beside the core its modules and types. */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { execFileSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const outfile = join(root, "packages/cli/dist/tinyscheduler.js")

rmSync(dirname(outfile), { recursive: true, force: true })
mkdirSync(dirname(outfile), { recursive: true })

await build({
  entryPoints: [join(root, "packages/cli/src/bin.ts")],
  outfile,
  bundle: true,
  platform: "node",
  // Not "node22": esbuild would then keep no top-level await in one file with lazy modules.
  target: "node22.19",
  format: "esm",
  minify: true,
  keepNames: false,
  conditions: ["source"],
  legalComments: "none",
  define: {
    STAND_IN_AGENT: JSON.stringify(readFileSync(join(root, "examples/stand-in-agent/goose.mjs"), "utf8"))
  },
  banner: {
    // Packages that were CommonJS ask for `require`.
    js: '#!/usr/bin/env node\nimport { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  },
  logLevel: "warning"
})
chmodSync(outfile, 0o755)
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/core"], {
  cwd: root,
  stdio: "inherit"
})
process.stdout.write(`packages/cli/dist/tinyscheduler.js ${Math.round(statSync(outfile).size / 1024)} kB\n`)
