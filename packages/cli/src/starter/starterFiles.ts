/** The texts of a new base path: control file, recipes and .env, from what a person wants. Nothing is written here. */
import { join, relative } from "node:path"
import * as Effect from "effect/Effect"
import { prefix, settingTable } from "../settings/settingTable.ts"
import type { SettingKey, Settings } from "../settings/settingTable.ts"
import { programFields } from "./agentPrograms.ts"
import type { AgentProgram } from "./agentPrograms.ts"
import type { NewFile } from "./newFiles.ts"
import { starterRecipe } from "./starterRecipe.ts"

export interface WantedAgent {
  readonly name: string
  readonly queues: ReadonlyArray<string>
  readonly program: AgentProgram
  readonly slots: number
}

/** The agent that there is when nobody names one. */
export const defaultAgent: WantedAgent = { name: "vaela", queues: ["dev"], program: "goose", slots: 1 }

const entryOf = ({ name, program, queues, slots }: WantedAgent) => ({
  agentName: name,
  agentType: queues.length === 1 ? queues[0] : queues,
  slots,
  ...programFields[program].fields
})

export const controlFileText = (agents: ReadonlyArray<WantedAgent>): string =>
  `${JSON.stringify(agents.map(entryOf), null, 2)}\n`

/** Loaded where a recipe is written: it brings a YAML writer with it. */
const loadFormat = Effect.promise(() => import("@tinyscheduler/adapters-process/recipe/formatRecipe"))

export interface RecipeWanted {
  readonly agentName: string
  /** Absolute. */
  readonly path: string
}

/** Recipes for these agents, at these places. */
export const recipeFiles = Effect.fn("recipeFiles")(function* (
  wanted: ReadonlyArray<RecipeWanted>,
  settings: Pick<Settings, "mcpEndpoint">
) {
  if (wanted.length === 0) return []
  const { formatRecipe } = yield* loadFormat
  return wanted.map(({ agentName, path }): NewFile => ({
    path,
    text: formatRecipe(starterRecipe(agentName, settings), path),
    mode: 0o644
  }))
})

/** As few quotation marks as a shell, systemd and we ourselves agree on; in .env no mark can be escaped. */
const quotedValue = (value: string): string => {
  if (/^[A-Za-z0-9_.,:/@%+=~-]*$/.test(value)) return value
  const mark = !value.includes("'") ? "'" : /["\\$`]/.test(value) && !value.includes("`") ? "`" : '"'
  return mark + value + mark
}

export const dotEnvText = (values: ReadonlyMap<SettingKey, string>): string =>
  [
    "# Settings of TinyScheduler, read from the working directory; tinyscheduler config --show tells all of them.",
    ...[...values].map(([key, value]) => `${prefix}${settingTable[key].variable}=${quotedValue(value)}`),
    ""
  ].join("\n")

/** A path as a person in this directory would write it. */
export const shownFrom = (directory: string, path: string): string => {
  const shown = relative(directory, path)
  return shown === "" || shown.startsWith("..") ? path : shown
}

export const recipeWanted = (recipesDir: string, agents: ReadonlyArray<WantedAgent>): ReadonlyArray<RecipeWanted> =>
  agents
    .filter(({ program }) => program === "goose")
    .map(({ name }) => ({ agentName: name, path: join(recipesDir, `${name}.yaml`) }))
