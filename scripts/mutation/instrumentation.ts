/**
 * Gives Vite the files of the decision with every mutant in them behind a switch, as Stryker's instrumenter writes them,
 * and the tests of the core with their words (`it`, `describe`) replaced by ones that only collect.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import { Instrumenter } from "@stryker-mutator/instrumenter"
import type { Plugin } from "vitest/config"

/** One mutant, as the report names it. */
export interface MutantPlace {
  readonly id: string
  readonly file: string
  readonly line: number
  readonly mutator: string
  readonly replacement: string
}

/** Its types promise another form than it gives. */
const readMutants = Schema.decodeUnknownSync(
  Schema.Array(
    Schema.Struct({
      id: Schema.String,
      fileName: Schema.String,
      mutatorName: Schema.String,
      location: Schema.Struct({ start: Schema.Struct({ line: Schema.Int }) }),
      replacement: Schema.optionalKey(Schema.String)
    })
  )
)

const nothing = (): void => undefined
const silent = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false
}

const words = {
  vitest: fileURLToPath(new URL("collected.ts", import.meta.url)),
  "@effect/vitest": fileURLToPath(new URL("collectedEffect.ts", import.meta.url))
} as const

const isReplaced = (source: string): source is keyof typeof words => source in words

export const instrumented = async (
  files: ReadonlyArray<string>
): Promise<{ readonly plugin: Plugin; readonly mutants: ReadonlyArray<MutantPlace> }> => {
  const result = await new Instrumenter(silent).instrument(
    files.map((name) => ({ name, content: readFileSync(name, "utf8"), mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [] }
  )
  const contents = new Map(result.files.map(({ content, name }) => [name, content] as const))
  const mutants = readMutants(result.mutants).map(({ fileName, id, location, mutatorName, replacement = "" }) => ({
    id,
    file: fileName,
    // The instrumenter counts lines from 0.
    line: location.start.line + 1,
    mutator: mutatorName,
    replacement
  }))
  const plugin: Plugin = {
    name: "mutants",
    enforce: "pre",
    resolveId: (source, importer) =>
      isReplaced(source) && importer?.includes("/packages/core/test/") === true ? words[source] : null,
    load: (id) => contents.get(id) ?? null
  }
  return { plugin, mutants }
}
