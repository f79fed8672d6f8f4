/**
 * The whole test command: builds, then every check one after another, each with its time; ends with one line
 * `N passed, N failed, N skipped` that counts tests and checks alike. Goes on after a failure, so that one run tells all.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const reports = mkdtempSync(join(tmpdir(), "tinyscheduler-test-"))

const run = (command: string, args: ReadonlyArray<string>): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] })
    child.on("error", (error) => {
      process.stderr.write(`${command}: ${error.message}\n`)
      resolve(false)
    })
    child.on("exit", (code) => {
      resolve(code === 0)
    })
  })

const total = { passed: 0, failed: 0, skipped: 0 }
const rows: Array<string> = []
const failures: Array<string> = []

const timed = async (name: string, work: () => Promise<boolean>): Promise<boolean> => {
  process.stdout.write(`\n== ${name}\n`)
  const began = performance.now()
  const ok = await work()
  rows.push(`${ok ? "ok    " : "FAILED"} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  return ok
}

const check = async (name: string, command: string, args: ReadonlyArray<string>): Promise<void> => {
  const ok = await timed(name, () => run(command, args))
  if (ok) total.passed += 1
  else total.failed += 1
}

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string
      readonly status: string
      readonly failureMessages: ReadonlyArray<string>
    }>
  }>
}

/** The first lines of what a test said: enough to know the assertion, and the place it stands at. */
const excerpt = (text: string): string =>
  text
    .split("\n")
    .slice(0, 12)
    .map((line) => `    ${line.slice(0, 200)}`)
    .join("\n")

/** Each failed test by name, and a file that failed as a whole; told once more at the end, where a long log is read. */
const failuresOf = ({ testResults }: VitestReport): ReadonlyArray<string> =>
  testResults.flatMap(({ assertionResults, message, name, status }) => {
    const failed = assertionResults.filter((test) => test.status === "failed")
    const file = relative(root, name)
    if (failed.length > 0)
      return failed.map((test) => `${file}: ${test.fullName}\n${excerpt(test.failureMessages.join("\n"))}`)
    return status === "failed" ? [`${file}\n${excerpt(message)}`] : []
  })

/**
 * A vitest project; a runner that dies without a report is one failure, and so is one that found nothing. One may skip all
 * that it has, and says why: where nothing can be traced.
 */
const tests = async (project: string): Promise<void> => {
  const report = join(reports, `${project}.json`)
  const ok = await timed(`${project} tests`, () =>
    run("vitest", ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`])
  )
  try {
    const told: VitestReport = JSON.parse(readFileSync(report, "utf8"))
    const { numFailedTests, numPassedTests, numPendingTests, numTodoTests } = told
    failures.push(...failuresOf(told))
    total.passed += numPassedTests
    total.failed += numFailedTests
    total.skipped += numPendingTests + numTodoTests
    const found = numPassedTests + numPendingTests
    if ((!ok && numFailedTests === 0) || found === 0) total.failed += 1
  } catch {
    total.failed += 1
  }
}

const only = process.argv.slice(2)
const wanted = (name: string): boolean => only.length === 0 || only.includes(name)

if (wanted("build")) await check("build", "node", ["scripts/build.ts"])
if (wanted("format")) await check("format", "oxfmt", ["--check"])
if (wanted("lint")) await check("lint and import boundaries", "oxlint", ["--type-aware", "--deny-warnings"])
if (wanted("types")) await check("types", "tsc", ["--noEmit"])
if (wanted("types")) {
  const packages = ["core", "adapters-fs", "adapters-tinytask", "adapters-process", "cli"].map(
    (name) => `packages/${name}`
  )
  await check("types of each package by itself", "tsc", ["-b", ...packages])
}
if (wanted("effect"))
  await check("effect diagnostics", "effect-tsgo", ["diagnostics", "--project", "tsconfig.json", "--strict"])
if (wanted("unused")) await check("unused code", "knip", [])
for (const project of ["unit", "property", "e2e", "crash"]) if (wanted(project)) await tests(project)

rmSync(reports, { recursive: true, force: true })
process.stdout.write(`\n${rows.join("\n")}\n\n`)
if (failures.length > 0) process.stdout.write(`failed:\n${failures.map((failure) => `  ${failure}\n`).join("")}\n`)
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
