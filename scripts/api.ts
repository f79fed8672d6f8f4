/**
 * Writes what the core exports: the reports in packages/core/api, for review, and docs/api.md, for reading. `--check` only
 * says whether they differ. Fails when an export has no docstring, or names a type that can't be imported.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { apiPage } from "./apiPage.ts"
import { readSurfaces, root } from "./apiSurface.ts"
import type { Surface } from "./apiSurface.ts"

const undocumented = ({ items }: Surface): ReadonlyArray<string> => {
  const documented = new Set(
    items.flatMap(({ docComment, name }) => (docComment === undefined || docComment === "" ? [] : [name]))
  )
  return [...new Set(items.map(({ name }) => name))].filter((name) => !documented.has(name))
}

const faultsOf = (surface: Surface): ReadonlyArray<string> => [
  ...undocumented(surface).map((name) => `@tinyscheduler/core${surface.subpath}: ${name} has no docstring`),
  ...surface.missing.map(
    (name) => `@tinyscheduler/core${surface.subpath}: ${name} is named by its signatures and not exported`
  )
]

const surfaces = readSurfaces()
const texts = [
  ...surfaces.map(({ report, reportPath }) => ({ path: reportPath, text: report })),
  { path: "docs/api.md", text: apiPage(surfaces) }
]
const faults = surfaces.flatMap(faultsOf)
const isStale = ({ path, text }: (typeof texts)[number]): boolean =>
  !existsSync(join(root, path)) || readFileSync(join(root, path), "utf8") !== text

if (process.argv.includes("--check")) {
  for (const { path } of texts.filter(isStale)) {
    faults.push(`${path} is not what the core exports; if that is meant, run: npx -y pnpm@12 docs`)
  }
} else {
  for (const { path, text } of texts) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}
for (const fault of faults) process.stderr.write(`${fault}\n`)
if (faults.length > 0) process.exitCode = 1
