/** The folder of a demo: a control file, recipes, and the stand-in for Goose. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Put into the bundle at build time; read from the repository when the sources run. */
declare const STAND_IN_AGENT: string | undefined

const standInProgram = (): string =>
  typeof STAND_IN_AGENT === "string"
    ? STAND_IN_AGENT
    : readFileSync(new URL("../../../../examples/stand-in-agent/goose.mjs", import.meta.url), "utf8")

export const demoAgents = [
  { agentName: "vaela", agentType: "dev", slots: 2 },
  { agentName: "damien", agentType: "dev", slots: 1 },
  { agentName: "oscar", agentType: "qa", slots: 2 },
  { agentName: "remy", agentType: ["dev", "qa"], slots: 1 },
  { agentName: "sage", agentType: "product", slots: 1 }
] as const

/** How long each stand-in works, drawn anew for each task. */
export const demoWorkMs = { least: 1000, most: 2000 } as const

const recipe = (agentName: string): string =>
  [
    'version: "1.0.0"',
    `title: ${agentName}`,
    `description: What ${agentName} does with a task`,
    "prompt: Work on task {{ task_id }} as {{ agent_name }}, then set it to complete in Tinytask.",
    "parameters:",
    "  - { key: task_id, input_type: number, requirement: required, description: The task }",
    "  - { key: agent_name, input_type: string, requirement: required, description: Who works on it }",
    ""
  ].join("\n")

export interface DemoFolder {
  readonly path: string
  readonly goose: string
  /** To this file every agent adds a line at its start and its end. */
  readonly record: string
}

export const makeDemoFolder = (path: string): DemoFolder => {
  const goose = join(path, "goose")
  const record = join(path, "record.jsonl")
  mkdirSync(join(path, "recipes"), { recursive: true, mode: 0o700 })
  for (const { agentName } of demoAgents) writeFileSync(join(path, "recipes", `${agentName}.yaml`), recipe(agentName))
  const env = { STAND_IN_RECORD: record, STAND_IN_MS: `${demoWorkMs.least}-${demoWorkMs.most}` }
  const entries = demoAgents.map((agent) => ({ ...agent, env }))
  writeFileSync(join(path, "agent-control.json"), `${JSON.stringify(entries, null, 2)}\n`, { mode: 0o600 })
  // The interpreter by its own path: an agent's PATH may name another Node, or none.
  writeFileSync(goose, standInProgram().replace(/^#!.*/, `#!${process.execPath}`))
  chmodSync(goose, 0o700)
  writeFileSync(record, "", { mode: 0o600 })
  return { path, goose, record }
}
