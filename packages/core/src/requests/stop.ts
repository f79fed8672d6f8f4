/** `stop`: an attempt is stopped by the ladder. The plan climbs it; the request has been served once its record stands. */
import type { StopRequest } from "../domain/Request.ts"
import { done, nothing, refused } from "./answers.ts"
import type { CarriedOut, RequestSight } from "./carryOut.ts"

export const carryOutStop = (request: StopRequest, { attempts, underWay }: RequestSight): CarriedOut => {
  const attempt = `attempt ${request.epoch} at task ${request.taskId}`
  if (underWay === null || underWay.epoch !== request.epoch || underWay.token !== request.token) {
    const ending = attempts?.outcomes.find(({ token }) => token === request.token)
    if (ending !== undefined) return nothing(`${attempt} has ended (${ending.outcome}): there is nothing to stop`)
    return underWay === null
      ? nothing(`${attempt} is over: there is nothing to stop`)
      : refused(`task ${request.taskId} has gone on to attempt ${underWay.epoch} since: nothing was stopped`)
  }
  if (underWay.stopping === null) return { _tag: "Pending" }
  return underWay.stopping === "requested"
    ? done(`${attempt} is being stopped`)
    : nothing(`${attempt} was being stopped already (${underWay.stopping})`)
}
