/** What people ask of the scheduler in a history, as commands do: by files that may come back after they were carried out. */
import type { TaskId } from "../src/domain/identifiers.ts"
import { AgentName } from "../src/domain/identifiers.ts"
import { RequestId } from "../src/domain/Request.ts"
import type { Request } from "../src/domain/Request.ts"
import { timestampOf } from "../src/domain/time.ts"
import type { World } from "../src/simulation/api.ts"

/** "again": the file of an earlier request is back. */
export const asks = ["retry", "stop", "pause", "resume", "pause ada", "resume ada", "repair", "again"] as const
export type Ask = (typeof asks)[number]

const ada = AgentName.make("ada")

export class HistoryRequests {
  readonly asked: Array<Request> = []
  private readonly world: World

  constructor(world: World) {
    this.world = world
  }

  ask(what: Ask, taskId: TaskId | undefined, nth: number): void {
    const request =
      what === "again" ? this.asked.at(-1 - (nth % Math.max(1, this.asked.length))) : this.make(what, taskId)
    if (request === undefined) return
    if (what !== "again") this.asked.push(request)
    this.world.files.requests.set(`${request.at}-${request.uuid}`, request)
  }

  private make(what: Exclude<Ask, "again">, taskId: TaskId | undefined): Request | undefined {
    const { files, machine } = this.world
    const number = String(this.asked.length + 1).padStart(12, "0")
    const common = {
      version: 1 as const,
      uuid: RequestId.make(`00000000-0000-4000-9000-${number}`),
      at: timestampOf(machine.nowMs),
      by: "a person"
    }
    switch (what) {
      case "retry":
      case "stop": {
        const last = taskId === undefined ? null : (files.attempts.get(taskId)?.last ?? null)
        if (taskId === undefined || last === null) return undefined
        return { ...common, kind: what, taskId, epoch: last.epoch, token: last.token }
      }
      case "pause":
      case "pause ada":
        return { ...common, kind: "pause", agentName: what === "pause" ? null : ada, until: null, reason: null }
      case "resume":
      case "resume ada":
        return { ...common, kind: "resume", agentName: what === "resume" ? null : ada }
      case "repair":
        return { ...common, kind: "repair" }
    }
  }
}
