/** What embedders get: the surface that was reviewed, as a package of which they know nothing but its declarations. */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const tsc = join(root, "node_modules/typescript/bin/tsc")
/** The compiler reads the core and what it names of Effect: a minute and more where others measure beside it. */
const timeoutMs = 300_000

const run = (args: ReadonlyArray<string>, cwd: string) =>
  spawnSync(process.execPath, [...args], { cwd, encoding: "utf8", env: { PATH: process.env["PATH"] } })

describe("the API", () => {
  it(
    "is what its report and its page say, has a docstring for each export, and names nothing that can't be imported",
    () => {
      const { status, stderr, stdout } = run(["--conditions=source", "scripts/api.ts", "--check"], root)
      assert.strictEqual(status, 0, stderr + stdout)
    },
    timeoutMs
  )
})

describe("somebody else's project", () => {
  let project = ""

  /** As installed from the registry: what `files` of its package.json names, and its dependencies. */
  const install = (): void => {
    const core = join(project, "node_modules/@tinyscheduler/core")
    mkdirSync(join(project, "node_modules/@noble"), { recursive: true })
    for (const part of ["package.json", "dist"]) {
      cpSync(join(root, "packages/core", part), join(core, part), { recursive: true })
    }
    for (const dependency of ["effect", "@noble/hashes"]) {
      const target = realpathSync(join(root, "packages/core/node_modules", dependency))
      symlinkSync(target, join(project, "node_modules", dependency))
    }
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }))
  }

  /** Its own settings, stricter than ours: declarations of libraries are checked too. */
  const typeErrors = (file: string): string => {
    const options = ["--module", "nodenext", "--target", "es2024", "--lib", "es2024,dom", "--types", ""]
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--noEmit"]
    return run([tsc, ...options, ...strict, "--allowImportingTsExtensions", file], project).stdout
  }

  beforeAll(() => {
    assert.strictEqual(run([tsc, "-b", "packages/core"], root).status, 0)
    project = mkdtempSync(join(tmpdir(), "tinyscheduler-embedder-"))
    install()
  }, timeoutMs)
  afterAll(() => {
    rmSync(project, { recursive: true, force: true })
  })

  it(
    "compiles and runs the example of embedding against the package alone",
    () => {
      cpSync(join(root, "examples/embed"), project, { recursive: true })
      assert.strictEqual(typeErrors("main.ts"), "")
      const { status, stderr, stdout } = run(["main.ts"], project)
      assert.strictEqual(status, 0, stderr)
      assert.include(stdout, "start task 1 on vaela")
    },
    timeoutMs
  )

  it(
    "compiles and runs a simulation against the package alone",
    () => {
      const lines = [
        'import * as Effect from "effect/Effect"',
        'import { TaskQueue } from "@tinyscheduler/core"',
        'import { layerSimulation, World } from "@tinyscheduler/core/simulation"',
        "const world = new World()",
        'world.addTask({ queue: "dev" })',
        "const listed = Effect.flatMap(TaskQueue, (queue) => queue.listOpen).pipe(Effect.provide(layerSimulation(world)))",
        "if ((await Effect.runPromise(listed)).length !== 1) throw new Error()",
        ""
      ]
      writeFileSync(join(project, "simulated.ts"), lines.join("\n"))
      assert.strictEqual(typeErrors("simulated.ts"), "")
      const { status, stderr } = run(["simulated.ts"], project)
      assert.strictEqual(status, 0, stderr)
    },
    timeoutMs
  )

  it(
    "can't import what is internal",
    () => {
      writeFileSync(join(project, "inside.ts"), 'import "@tinyscheduler/core/reconcile/assign"\n')
      const { stderr } = run(["inside.ts"], project)
      assert.include(stderr, "ERR_PACKAGE_PATH_NOT_EXPORTED")
    },
    timeoutMs
  )
})
