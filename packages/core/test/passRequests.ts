/** What commands ask for, as they would put it into a simulated state directory. */
import type { AgentName, TaskId } from "../src/domain/identifiers.ts"
import { RequestId } from "../src/domain/Request.ts"
import type { Request, RequestAnswer } from "../src/domain/Request.ts"
import { timestampOf } from "../src/domain/time.ts"
import { attemptUnderWay } from "../src/pass/takeRequests.ts"
import { latestAttempt } from "../src/requests/retry.ts"
import type { World } from "../src/simulation/api.ts"

type Asked =
  | { readonly kind: "retry" | "stop"; readonly taskId: TaskId }
  | {
      readonly kind: "pause"
      readonly agentName: AgentName | null
      readonly until: string | null
      readonly reason: string | null
    }
  | { readonly kind: "resume"; readonly agentName: AgentName | null }
  | { readonly kind: "gc"; readonly taskIds: ReadonlyArray<TaskId> }
  | { readonly kind: "apply"; readonly precondition: string }

const asks = new WeakMap<World, number>()

const withAttempt = (world: World, asked: Asked) => {
  if (asked.kind === "pause" || asked.kind === "resume" || asked.kind === "gc" || asked.kind === "apply") return asked
  const { kind, taskId } = asked
  const { files } = world
  const named =
    kind === "stop" ? attemptUnderWay(files.task(taskId)) : latestAttempt(files.attempts.get(taskId) ?? null)
  return named === null ? null : { kind, taskId, epoch: named.epoch, token: named.token }
}

/** Asks as the command would: of the attempt that is there now. Null where the command would refuse at once. */
export const ask = (world: World, asked: Asked): Request | null => {
  const number = (asks.get(world) ?? 0) + 1
  asks.set(world, number)
  const about = withAttempt(world, asked)
  if (about === null) return null
  const uuid = RequestId.make(`00000000-0000-4000-9000-${String(number).padStart(12, "0")}`)
  const request: Request = { version: 1, uuid, at: timestampOf(world.machine.nowMs), by: "maria", ...about }
  world.files.requests.set(`${request.at}-${uuid}`, request)
  return request
}

/** What came of a request, in one line. */
export const answerTo = (world: World, request: Request | null): string => {
  const answer: RequestAnswer | undefined = request === null ? undefined : world.files.answers.get(request.uuid)
  return answer === undefined ? "none" : `${answer.result}: ${answer.says}`
}
