/**
 * How an agent is started: the command line and environment of one attempt from an entry of the control file. Argument
 * vectors only, no shell; text of tasks never enters an argument: it goes to the prompt file.
 */
import type { StartingLease } from "./Lease.ts"

/** The placeholders of `command` and `prompt`: a closed list; an unknown one is a configuration error. */
export const placeholders = ["taskId", "agent", "queue", "attempt", "recipe", "promptFile", "endpoint"] as const
export type Placeholder = (typeof placeholders)[number]

/** What of an agent's entry concerns its start, defaults filled in. */
export interface AgentLaunch {
  /** Argument vector template; null = Goose. */
  readonly command: ReadonlyArray<string> | null
  /** Goose's binary, looked up on PATH when it has no slash. */
  readonly gooseBin: string
  readonly recipesDirectory: string
  readonly prompt: string | null
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface RenderedLaunch {
  readonly argv: ReadonlyArray<string>
  /** What comes on top of the scheduler's own environment less TINYSCHEDULER_*. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly promptText: string
}

const pattern = /\{\{([^{}]*)\}\}/g

/** Placeholders in a text that are not on the list. */
export const unknownPlaceholders = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(pattern)]
    .map((match) => match[1] ?? "")
    .filter((name) => !placeholders.some((known) => known === name))

const fill = (text: string, values: Readonly<Record<Placeholder, string>>): string =>
  text.replace(pattern, (whole, name: string) => {
    const known = placeholders.find((placeholder) => placeholder === name)
    return known === undefined ? whole : values[known]
  })

/** Goose's own variables for a run that nobody watches. */
const gooseEnvironment = {
  GOOSE_MODE: "auto",
  GOOSE_DISABLE_KEYRING: "1",
  GOOSE_DISABLE_SESSION_NAMING: "true"
}

/** The argument vector, environment, directory and prompt of one attempt. */
export const renderLaunch = (
  launch: AgentLaunch,
  lease: StartingLease,
  task: { readonly title: string; readonly description: string | null },
  paths: { readonly promptFile: string }
): RenderedLaunch => {
  const recipePath = lease.recipe === null ? "" : `${launch.recipesDirectory}/${lease.recipe}`
  const values: Readonly<Record<Placeholder, string>> = {
    taskId: String(lease.taskId),
    agent: lease.agentName,
    queue: lease.queue ?? "",
    attempt: String(lease.attempt),
    recipe: recipePath,
    promptFile: paths.promptFile,
    endpoint: lease.endpoint
  }
  const argv =
    launch.command === null
      ? [
          launch.gooseBin,
          "run",
          "--recipe",
          recipePath,
          "--params",
          `task_id=${lease.taskId}`,
          "--params",
          `agent_name=${lease.agentName}`,
          "--no-session",
          "--quiet",
          "--output-format",
          "stream-json"
        ]
      : launch.command.map((argument) => fill(argument, values))
  const lead = launch.prompt === null ? [] : [fill(launch.prompt, values)]
  const body = [task.title, ...(task.description === null ? [] : [task.description])]
  return {
    argv,
    env: {
      ...(launch.command === null ? gooseEnvironment : {}),
      ...launch.env,
      TINYSCHEDULER_TASK_ID: String(lease.taskId),
      TINYSCHEDULER_AGENT: lease.agentName,
      TINYSCHEDULER_ATTEMPT: String(lease.attempt),
      TINYSCHEDULER_EPOCH: String(lease.epoch),
      TINYSCHEDULER_LEASE: lease.token,
      TINYSCHEDULER_MCP_ENDPOINT: lease.endpoint
    },
    cwd: launch.cwd,
    promptText: `${[...lead, ...body].join("\n\n")}\n`
  }
}
