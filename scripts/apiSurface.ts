/**
 * What the core exports to those who embed it, as API Extractor reads it from the declarations that the compiler emits:
 * the report for review, the list of exports, and what an embedder would miss.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor"
import type { ExtractorMessage } from "@microsoft/api-extractor"
import * as Schema from "effect/Schema"

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const core = join(root, "packages/core")

const ApiItem = Schema.Struct({
  kind: Schema.String,
  name: Schema.String,
  /** The comment as it stands in the source; absent or empty where there is none. */
  docComment: Schema.optionalKey(Schema.String),
  /** The declarations' file, from the package on. */
  fileUrlPath: Schema.String,
  excerptTokens: Schema.Array(Schema.Struct({ text: Schema.String }))
})
export type ApiItem = typeof ApiItem.Type

const ApiFile = Schema.fromJsonString(
  Schema.Struct({ members: Schema.Tuple([Schema.Struct({ members: Schema.Array(ApiItem) })]) })
)

export interface Surface {
  /** What one writes after `@tinyscheduler/core` to import it. */
  readonly subpath: "" | "/simulation"
  /** Its report's path, from the root. */
  readonly reportPath: string
  readonly report: string
  /** By name. */
  readonly items: ReadonlyArray<ApiItem>
  /** Types that its signatures name and that nobody can import. */
  readonly missing: ReadonlyArray<string>
}

const entries = [
  // The compiler names the class behind each service and error; what a port has to do stands only there.
  { name: "core", subpath: "", declarations: "dist/api.d.ts", withBases: true },
  { name: "simulation", subpath: "/simulation", declarations: "dist/simulation/api.d.ts", withBases: false }
] as const

/** Named, and on purpose not to be had: `repair` is no part of what is embedded, the simulation just supplies its port. */
const internal: ReadonlySet<string> = new Set(["StateInventory"])

const configOf = ({ declarations, name, withBases }: (typeof entries)[number], folder: string): ExtractorConfig =>
  ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(core, "package.json"),
    configObject: {
      projectFolder: core,
      mainEntryPointFilePath: join(core, declarations),
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          extends: join(root, "tsconfig.base.json"),
          compilerOptions: { noEmit: true, customConditions: [] },
          files: entries.map((entry) => join(core, entry.declarations))
        }
      },
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: folder,
        reportTempFolder: join(folder, "temporary"),
        includeForgottenExports: withBases
      },
      docModel: { enabled: true, apiJsonFilePath: join(folder, `${name}.api.json`) },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.Warning }
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } }
      }
    }
  })

const forgotten = (message: ExtractorMessage): string | null =>
  message.messageId === "ae-forgotten-export" ? (/The symbol "([^"]+)"/.exec(message.text)?.[1] ?? null) : null

const compile = (): void => {
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  if (spawnSync(process.execPath, [tsc, "-b", core], { stdio: "inherit" }).status === 0) return
  process.stderr.write("the core does not compile, and so has no declarations to read\n")
  process.exit(1)
}

/** Both entry points of the core, of the sources as they are now. */
export const readSurfaces = (): ReadonlyArray<Surface> => {
  compile()
  const folder = mkdtempSync(join(tmpdir(), "tinyscheduler-api-"))
  try {
    mkdirSync(join(folder, "temporary"))
    const configs = entries.map((entry) => ({ entry, config: configOf(entry, folder) }))
    const compilerState = CompilerState.create(configs[0]!.config, {
      additionalEntryPoints: entries.map(({ declarations }) => join(core, declarations))
    })
    const known = new Set<string>(internal)
    return configs.map(({ config, entry }) => {
      const named = new Set<string>()
      const faults: Array<string> = []
      Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback: (message) => {
          message.handled = true
          const symbol = forgotten(message)
          if (symbol !== null) named.add(symbol)
          else if (message.logLevel === ExtractorLogLevel.Error) faults.push(message.text)
        }
      })
      if (faults.length > 0) throw new Error(`the declarations of the core can't be read: ${faults.join("\n")}`)
      const text = readFileSync(join(folder, `${entry.name}.api.json`), "utf8")
      const { members } = Schema.decodeSync(ApiFile)(text).members[0]
      for (const { name } of members) known.add(name)
      return {
        subpath: entry.subpath,
        reportPath: `packages/core/api/${entry.name}.api.md`,
        report: readFileSync(join(folder, `${entry.name}.api.md`), "utf8"),
        items: members,
        missing: [...named].filter((symbol) => !symbol.endsWith("_base") && !known.has(symbol)).sort()
      }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
