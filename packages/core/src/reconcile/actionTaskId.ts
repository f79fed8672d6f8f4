/** Which task an action is about. */
import type { Action } from "../domain/Plan.ts"

/** The task an action is about. */
export const actionTaskId = (action: Action): number => {
  switch (action._tag) {
    case "Note":
    case "Rebuild":
    case "Stop":
    case "End":
      return action.attempt.taskId
    case "EndLegacy":
    case "Sweep":
    case "Start":
      return action.taskId
  }
}
