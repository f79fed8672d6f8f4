/** The recipe to begin with: one that reads its task in Tinytask, works on it, and completes it there. */
import * as Result from "effect/Result"
import { parseEndpoint } from "@tinyscheduler/adapters-tinytask/Endpoint"
import type { Settings } from "../settings/settingTable.ts"

const prompt = `You are {{ agent_name }}. You work alone on task {{ task_id }}; nobody will answer questions.

1. Read the task with get_task, and its comments: an earlier attempt may have left some.
2. Do what it asks, in the working directory. Keep to the task.
3. Write what you did, and how it was checked, as a comment (add_comment, created_by {{ agent_name }}).
4. Set the task to complete with update_task. That is the last thing you do.

If you can't do it, say why in a comment, leave its status as it is, and stop.
`

/** Where Goose reaches Tinytask: the same server that the scheduler asks. */
const addressOf = ({ mcpEndpoint }: Pick<Settings, "mcpEndpoint">): string => {
  const endpoint = parseEndpoint(mcpEndpoint, { allowInsecure: true })
  return Result.isSuccess(endpoint) ? endpoint.success.mcp.href : mcpEndpoint
}

/** Goose's fields in Goose's words. */
export const starterRecipe = (agentName: string, settings: Pick<Settings, "mcpEndpoint">) => ({
  version: "1.0.0",
  title: agentName,
  description: "Carries out one task and reports to Tinytask",
  prompt,
  parameters: [
    { key: "task_id", input_type: "number", requirement: "required", description: "The number of the task" },
    { key: "agent_name", input_type: "string", requirement: "required", description: "Who works on it" }
  ],
  extensions: [
    { type: "streamable_http", name: "tinytask", uri: addressOf(settings), timeout: 60 },
    { type: "builtin", name: "developer", timeout: 600 }
  ],
  settings: { max_turns: 200 }
})
