/**
 * Leaves packages/cli/dist, which needs nothing beside it: tinyscheduler.js, which loads the program that lies next to it,
 * also compiled for the Node that built it; and the core's modules and types for those who embed it. CommonJS: its modules
 * are loaded when a command needs them, Node's own too; as an ES module the file would load all of Node's at its start
 * (measured: five times the time of a bare Node).
 */
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import type { BuildOptions } from "esbuild"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inRoot = (path: string): string => join(root, path)
const outdir = inRoot("packages/cli/dist")
const outfile = join(outdir, "tinyscheduler.js")
/** No source has this name: the type-checker's own output goes to the same directory. */
const programFile = join(outdir, "tinyscheduler-program.js")

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

/**
 * Lets Node keep what it compiles of the program while it makes a plan, for every later start of the same Node. The plan
 * fails: nobody listens at that port.
 */
const compileProgram = (): void => {
  const compiled = join(outdir, "compiled", `${process.version}-${process.arch}`)
  mkdirSync(compiled, { recursive: true })
  const base = mkdtempSync(join(tmpdir(), "tinyscheduler-build-"))
  const args = ["run", "--once", "--dry-run", "--base-path", base, "--mcp-endpoint", "http://127.0.0.1:1"]
  spawnSync(process.execPath, ["--", outfile, ...args], { cwd: base, stdio: "ignore", env: {} })
  rmSync(base, { recursive: true })
  // Node keeps it for its user alone; whoever installs the build is often another than whoever runs it.
  for (const file of readdirSync(compiled, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) chmodSync(join(file.parentPath, file.name), 0o644)
  }
}

const supervisor = await build({
  ...common,
  entryPoints: [inRoot("packages/adapters-process/src/supervisor/bundled.ts")],
  write: false
})

rmSync(outdir, { recursive: true, force: true })
mkdirSync(outdir, { recursive: true })
await build({
  ...common,
  entryPoints: [inRoot("packages/cli/src/program.ts")],
  outfile: programFile,
  define: {
    ...common.define,
    STAND_IN_AGENT: JSON.stringify(readFileSync(inRoot("examples/stand-in-agent/goose.mjs"), "utf8")),
    SUPERVISOR_PROGRAM: JSON.stringify(supervisor.outputFiles[0]?.text)
  }
})
await build({
  ...common,
  entryPoints: [inRoot("packages/cli/src/bin.ts")],
  outfile,
  // As a native import it would go through the loader of ES modules, which loads more of Node.
  supported: { "dynamic-import": false },
  plugins: [
    {
      name: "the program is a file of its own",
      setup: (plugin) => {
        plugin.onResolve({ filter: /^\.\/program\.ts$/ }, () => ({
          path: `./${basename(programFile)}`,
          external: true
        }))
      }
    }
  ],
  // "--": what follows is for us; Node would take --env-file for its own, wherever it stands.
  banner: { js: "#!/usr/bin/env -S node --" }
})
chmodSync(outfile, 0o755)
// The package is of ES modules; its bundle is not.
writeFileSync(join(outdir, "package.json"), '{ "type": "commonjs" }\n')
compileProgram()
execFileSync(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-b", "packages/core"], {
  cwd: root,
  stdio: "inherit"
})
const kilobytes = Math.round((statSync(outfile).size + statSync(programFile).size) / 1024)
process.stdout.write(`packages/cli/dist/tinyscheduler.js and what it loads: ${kilobytes} kB\n`)
