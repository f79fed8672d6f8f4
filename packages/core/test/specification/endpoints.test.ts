/** A task's identity is endpoint, number and creation: what another server says of our numbers is nothing. */
import { evidence, oneAgent, runningLease } from "../builders.ts"
import { specify } from "./specify.ts"

const elsewhere = { endpoint: "http://other:3000" }

specify([
  {
    name: "a server that does not know the number of a task of another server stops nobody",
    world: oneAgent()
      .addLookedUp(1, null)
      .addLease(runningLease(1, 3, "ada", elsewhere), evidence.healthy),
    lines: ["running task 1 on ada (epoch 3): running"]
  },
  {
    name: "another task under the same number, in another server, stops nobody either",
    world: oneAgent()
      .addTask(1, { createdAt: "2026-06-01T00:00:00Z" })
      .addLease(runningLease(1, 3, "ada", elsewhere), evidence.healthy),
    lines: ["running task 1 on ada (epoch 3): running"]
  },
  {
    name: "its end waits for its own server, and its slot with it",
    world: oneAgent()
      .addLookedUp(1, null)
      .addLease(runningLease(1, 3, "ada", elsewhere), evidence.dead),
    lines: ["wait task 1: Tinytask could not be read"]
  },
  {
    name: "the same task under another name of its server is the same task",
    world: oneAgent()
      .addTask(1, { status: "working", assignee: "ada" })
      .addLease(runningLease(1, 3, "ada", elsewhere), evidence.dead),
    lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
  },
  {
    name: "in its own server a task that is gone stops its agent",
    world: oneAgent()
      .addLookedUp(1, null)
      .addLease(runningLease(1, 3, "ada", { endpoint: "http://localhost:3000/mcp" }), evidence.healthy),
    lines: ["stop task 1 on ada (epoch 3): task-taken-away, interrupt", "  interrupt, next at 10 s"]
  }
])
