/** What to do after `init`, as three command lines. */
import type { Wishes } from "./Wishes.ts"

const quoted = (text: string): string => (/^[\w-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** The port of a http address, which may leave out the usual one. */
const portOf = (endpoint: string): string => URL.parse(endpoint)?.port || "80"

export const nextSteps = ({ agents, embedded, values }: Wishes): ReadonlyArray<string> => {
  if (!embedded) {
    return ["tinyscheduler validate-config", "tinyscheduler run --once --dry-run", "tinyscheduler run --daemon"]
  }
  const port = portOf(values.get("mcpEndpoint") ?? "")
  const queue = agents[0]?.queues[0] ?? ""
  return [
    `tinyscheduler up${port === "3000" ? "" : ` --port ${port}`}`,
    "tinyscheduler validate-config",
    `tinyscheduler tinytask add "My first task" --queue ${quoted(queue)}`
  ]
}
