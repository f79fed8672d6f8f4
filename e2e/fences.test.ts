/** The fences between the packages: violations are planted into a copy of the repository, and each is refused. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Ended, launch, repository } from "./harness/program.ts"

const bin = join(repository, "node_modules/.bin")

let copy = ""

/** Sources and settings; what is installed is linked. The packages' links to each other lead into the copy. */
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "tinyscheduler-fences-"))
  for (const name of [".oxlintrc.json", ".gitignore", "package.json", "tsconfig.base.json"]) {
    cpSync(join(repository, name), join(copy, name))
  }
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"))
  for (const name of readdirSync(join(repository, "packages"))) {
    for (const part of ["src", "package.json", "tsconfig.json", "node_modules"]) {
      const from = join(repository, "packages", name, part)
      if (existsSync(from))
        cpSync(from, join(copy, "packages", name, part), { recursive: true, verbatimSymlinks: true })
    }
  }
})

afterAll(() => rmSync(copy, { recursive: true, force: true }))

const run = (command: string, args: ReadonlyArray<string>): Promise<Ended> =>
  launch({ command: [join(bin, command), ...args], cwd: copy, env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` } })
    .ended

/** Writes files, does something, and takes them away again. */
const withPlanted = async <A>(files: Readonly<Record<string, string>>, work: () => Promise<A>): Promise<A> => {
  for (const [path, content] of Object.entries(files)) writeFileSync(join(copy, path), content)
  try {
    return await work()
  } finally {
    for (const path of Object.keys(files)) rmSync(join(copy, path))
  }
}

const core = "packages/core/src"
const knowsNothing = "The core knows neither Node nor an adapter."
const pureOnly = "Decisions are plain functions: only Effect's pure modules here."
const noPort = "Decisions know no port and no pass."
const coreOnly = "Adapters import core only."

/** One line of source each, where it must not stand, and what is said about it. */
const violations = [
  { name: "Node in the core", at: `${core}/pass`, text: 'import "node:fs"', says: knowsNothing },
  { name: "Node in a decision", at: `${core}/reconcile`, text: 'import "node:fs"', says: knowsNothing },
  { name: "Node in a port", at: `${core}/ports`, text: 'import "node:process"', says: knowsNothing },
  {
    name: "a platform in the core",
    at: `${core}/pass`,
    text: 'import "@effect/platform-node/NodeServices"',
    says: knowsNothing
  },
  {
    name: "a platform in a decision",
    at: `${core}/reconcile`,
    text: 'import "@effect/platform-node/NodeServices"',
    says: knowsNothing
  },
  {
    name: "an adapter in the core",
    at: `${core}/pass`,
    text: 'import "@tinyscheduler/adapters-fs/LeaseStore"',
    says: knowsNothing
  },
  {
    name: "an adapter in a decision",
    at: `${core}/reconcile`,
    text: 'import "@tinyscheduler/adapters-process/Machine"',
    says: knowsNothing
  },
  { name: "Effect's runtime in the domain", at: `${core}/domain`, text: 'import "effect/Effect"', says: pureOnly },
  { name: "Effect's runtime in a decision", at: `${core}/reconcile`, text: 'import "effect/Layer"', says: pureOnly },
  { name: "a port in a decision", at: `${core}/reconcile`, text: 'import "../ports/TaskQueue.ts"', says: noPort },
  { name: "a pass in the domain", at: `${core}/domain`, text: 'import "../pass/pass.ts"', says: noPort },
  { name: "the clock in the core", at: `${core}/pass`, text: "export const now = Date.now()", says: "Date" },
  { name: "chance in a decision", at: `${core}/reconcile`, text: "export const x = Math.random()", says: "random" },
  { name: "a timer in the core", at: `${core}/pass`, text: "setTimeout(() => {}, 1)", says: "setTimeout" },
  {
    name: "the environment in the domain",
    at: `${core}/domain`,
    text: "export const x = process.env",
    says: "process"
  },
  { name: "the console in the core", at: `${core}/pass`, text: 'console.log("x")', says: "console" },
  {
    name: "an adapter in adapters-fs",
    at: "packages/adapters-fs/src",
    text: 'import "@tinyscheduler/adapters-process/Machine"',
    says: coreOnly
  },
  {
    name: "an adapter in adapters-tinytask",
    at: "packages/adapters-tinytask/src",
    text: 'import "@tinyscheduler/adapters-fs/LeaseStore"',
    says: coreOnly
  },
  {
    name: "the command line in adapters-process",
    at: "packages/adapters-process/src",
    text: 'import "tinyscheduler/main"',
    says: coreOnly
  },
  {
    name: "Effect's barrel in the core",
    at: `${core}/pass`,
    text: 'import { Effect } from "effect"\nexport const x = Effect.void',
    says: "Import the module"
  },
  {
    name: "Effect's barrel in an adapter",
    at: "packages/adapters-fs/src",
    text: 'import { Effect } from "effect"\nexport const x = Effect.void',
    says: "Import the module"
  },
  {
    name: "the platform's barrel in the command line",
    at: "packages/cli/src",
    text: 'import { NodeServices } from "@effect/platform-node"\nexport const x = NodeServices',
    says: "not the barrel"
  },
  { name: "any", at: "packages/cli/src", text: "export const x = (y: any): unknown => y", says: "any" }
]

interface Finding {
  readonly filename: string
  readonly code: string
  readonly message: string
  readonly help?: string
}

describe("the linter refuses", () => {
  const findings = new Map<string, string>()
  const fileOf = (index: number): string => `${violations[index]?.at ?? ""}/planted${index}.ts`

  beforeAll(async () => {
    const files = Object.fromEntries(violations.map(({ text }, index) => [fileOf(index), `${text}\n`]))
    const ended = await withPlanted(files, () => run("oxlint", ["--format=json", ...Object.keys(files)]))
    const { diagnostics }: { readonly diagnostics: ReadonlyArray<Finding> } = JSON.parse(ended.stdout)
    for (const { code, filename, help, message } of diagnostics) {
      findings.set(filename, `${findings.get(filename) ?? ""}${code}: ${message} ${help ?? ""}\n`)
    }
  })

  it.each(violations.map(({ name, says }, index) => ({ name, says, file: fileOf(index) })))(
    "$name",
    ({ file, says }) => {
      expect(findings.get(file) ?? "nothing").toContain(says)
    }
  )

  it("a cycle of imports", async () => {
    const files = {
      [`${core}/pass/planted.ts`]: 'import { two } from "./planted2.ts"\nexport const one = (): unknown => two\n',
      [`${core}/pass/planted2.ts`]: 'import { one } from "./planted.ts"\nexport const two = (): unknown => one\n'
    }
    const { code, stdout } = await withPlanted(files, () => run("oxlint", Object.keys(files)))
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("no-cycle") })
  })

  it("nothing of what is allowed at the same places", async () => {
    const allowed = {
      [`${core}/domain/planted.ts`]: 'import * as Schema from "effect/Schema"\nexport const X = Schema.String\n',
      [`${core}/pass/planted.ts`]: 'import * as Effect from "effect/Effect"\nexport const x = Effect.void\n',
      "packages/adapters-fs/src/planted.ts": 'import { readFileSync } from "node:fs"\nexport const x = readFileSync\n',
      "packages/cli/src/planted.ts":
        'import { layer } from "@tinyscheduler/adapters-process/ProcessTable"\nexport const x = layer\n'
    }
    const ended = await withPlanted(allowed, () => run("oxlint", ["--deny-warnings", ...Object.keys(allowed)]))
    expect({ code: ended.code, said: ended.stdout }).toEqual({ code: 0, said: expect.stringContaining("0 errors") })
  })
})

describe("the type checker refuses, even where the linter is switched off", () => {
  const using = (what: string, from: string) =>
    `/* oxlint-disable */\nimport { ${what} } from "${from}"\nexport { ${what} }\n`

  it.each([
    { name: "Node's modules in the core", to: "core", text: using("readFileSync", "node:fs"), code: "TS2591" },
    { name: "Node's globals in the core", to: "core", text: "export const x = process.env\n", code: "TS2591" },
    {
      name: "an adapter in the core",
      to: "core",
      text: using("layer", "@tinyscheduler/adapters-fs/LeaseStore"),
      code: "TS2307"
    },
    {
      name: "adapters-fs in adapters-process",
      to: "adapters-process",
      text: using("layer", "@tinyscheduler/adapters-fs/LeaseStore"),
      code: "TS2307"
    },
    {
      name: "adapters-process in adapters-fs",
      to: "adapters-fs",
      text: using("thisMachine", "@tinyscheduler/adapters-process/thisMachine"),
      code: "TS2307"
    },
    {
      name: "adapters-tinytask in adapters-fs",
      to: "adapters-fs",
      text: using("makeTinytask", "@tinyscheduler/adapters-tinytask/TinytaskClient"),
      code: "TS2307"
    }
  ])("$name", async ({ code, text, to }) => {
    const file = `packages/${to}/src/planted.ts`
    const ended = await withPlanted({ [file]: text }, () => run("tsc", ["-p", `packages/${to}`, "--noEmit"]))
    const said = ended.stdout.split("\n").filter((line) => line.includes("planted.ts("))
    expect(said).toEqual([expect.stringContaining(`error ${code}`)])
  })
})
