/**
 * What is held, forgotten, broken or left over: all that passes by themselves would report for ever, or never see. Pure,
 * and no second judgement: what becomes of attempts is read from the plan that a pass would make of the same observation.
 */
import type { DesiredState } from "../domain/DesiredState.ts"
import { epochMax } from "../domain/identifiers.ts"
import { examine } from "./examine.ts"
import type { Case, Examination } from "./examine.ts"
import { findAttempts } from "./findAttempts.ts"
import { findFiles } from "./findFiles.ts"
import { findHeld } from "./findHeld.ts"
import { findWaiting } from "./findWaiting.ts"
import { findWorking } from "./findWorking.ts"
import type { Finding } from "./Finding.ts"
import type { RepairSight } from "./RepairSight.ts"

const findEpochsUsedUp = ({ record, taskId }: Case): ReadonlyArray<Finding> =>
  record !== null && record.epochMax > epochMax ? [{ _tag: "EpochsUsedUp", taskId, epoch: record.epochMax }] : []

/**
 * In the order in which they are mended: what is remembered of a task comes before its files, its files before the task
 * itself, and what nobody has to mend comes last.
 */
export const findings = (sight: RepairSight, desired: DesiredState): ReadonlyArray<Finding> => {
  const examination = examine(sight, desired)
  const ofCases = (find: (one: Case, examination: Examination) => ReadonlyArray<Finding>) =>
    examination.cases.flatMap((one) => find(one, examination))
  const told = [
    ...ofCases(findAttempts),
    ...ofCases(findHeld),
    ...ofCases(findWorking),
    ...ofCases(findWaiting),
    ...ofCases(findEpochsUsedUp)
  ]
  return [...told, ...findFiles(examination, told)]
}
