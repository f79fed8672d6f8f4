/** Which agents a task is for, whatever keeps them from it now. Tells what is relevant to a task; it assigns nothing. */
import type { Agent, DesiredState } from "../domain/DesiredState.ts"
import type { Task } from "../domain/Task.ts"

/** Its assignee, else the agents of its queue. */
export const couldTake = (task: Task, { agents, mode }: DesiredState): ReadonlyArray<Agent> =>
  agents.filter(({ name, queues }) =>
    task.assignee === null ? mode === "queues" && queues.some((queue) => queue === task.queue) : task.assignee === name
  )

export const namesOf = (agents: ReadonlyArray<Agent>): ReadonlySet<string> => new Set(agents.map(({ name }) => name))
