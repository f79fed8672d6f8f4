/**
 * Where the state of an attempt stands, and what its file names mean. Pure text; whoever has the files joins it to a
 * base path. The one place in which a path of the state directory is spelled.
 */
import type { Epoch, TaskId } from "../domain/identifiers.ts"

const naturalPattern = "([1-9][0-9]{0,15})"
const leasePattern = new RegExp(`^task_${naturalPattern}\\.json$`)
const claimPattern = new RegExp(`^${naturalPattern}\\.${naturalPattern}$`)
const stopPattern = new RegExp(`^${naturalPattern}\\.${naturalPattern}\\.json$`)
const logPattern = new RegExp(`^${naturalPattern}\\.log$`)
const promptPattern = new RegExp(`^${naturalPattern}\\.prompt$`)
const uuidPattern = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
const requestPattern = new RegExp(`^[0-9]{8}T[0-9]{6}(?:\\.[0-9]{1,9})?Z-${uuidPattern}\\.json$`)
const answerPattern = new RegExp(`^${uuidPattern}\\.json$`)
const schedulerLogPattern = /^scheduler_([0-9]{8})\.log$/
const naturalName = new RegExp(`^${naturalPattern}$`)

const numbersOf = (pattern: RegExp, name: string): ReadonlyArray<number> | null => {
  const match = pattern.exec(name)
  return match === null ? null : match.slice(1).map(Number)
}

/** `task_<id>.json`: a lease under the running directory, an attempts file under `attempts`. */
export const taskFileName = (taskId: TaskId): string => `task_${taskId}.json`
export const claimFileName = (taskId: TaskId, epoch: Epoch): string => `${taskId}.${epoch}`
export const stopFileName = (taskId: TaskId, epoch: Epoch): string => `${taskId}.${epoch}.json`
/** `<time>-<uuid>.json`: sorted by name, the oldest comes first. */
export const requestFileName = ({ at, uuid }: { readonly at: string; readonly uuid: string }): string =>
  `${at.replaceAll(/[-:]/g, "")}-${uuid}.json`
/** `<uuid>.json`: what came of a request. */
export const answerFileName = (uuid: string): string => `${uuid}.json`
/** The scheduler's own log of a day, YYYYMMDD; in the log directory. */
export const schedulerLogName = (day: string): string => `scheduler_${day}.log`
/** Relative to the log directory. */
export const attemptLogPath = (taskId: TaskId, epoch: Epoch): string => `tasks/${taskId}/${epoch}.log`
export const promptPath = (taskId: TaskId, epoch: Epoch): string => `tasks/${taskId}/${epoch}.prompt`

export const parseTaskFileName = (name: string): number | null => numbersOf(leasePattern, name)?.[0] ?? null
export const parseClaimFileName = (name: string): { readonly taskId: number; readonly epoch: number } | null =>
  pairOf(numbersOf(claimPattern, name))
export const parseStopFileName = (name: string): { readonly taskId: number; readonly epoch: number } | null =>
  pairOf(numbersOf(stopPattern, name))
/** The uuid in a request's file name. */
export const parseRequestFileName = (name: string): string | null => requestPattern.exec(name)?.[1] ?? null
export const parseAnswerFileName = (name: string): string | null => answerPattern.exec(name)?.[1] ?? null
export const parseLogFileName = (name: string): number | null => numbersOf(logPattern, name)?.[0] ?? null
export const parsePromptFileName = (name: string): number | null => numbersOf(promptPattern, name)?.[0] ?? null
/** The day of a scheduler's log, YYYYMMDD. */
export const parseSchedulerLogName = (name: string): string | null => schedulerLogPattern.exec(name)?.[1] ?? null
export const parseTaskDirectoryName = (name: string): number | null => numbersOf(naturalName, name)?.[0] ?? null

const pairOf = (numbers: ReadonlyArray<number> | null) => {
  const [taskId, epoch] = numbers ?? []
  return taskId === undefined || epoch === undefined ? null : { taskId, epoch }
}

/** Names of temporary files begin so; who wrote them stands in the name, so that they are swept when he is dead. */
export const temporaryPrefix = (writer: { readonly pid: number; readonly pidStart: number }): string =>
  `.tmp-${writer.pid}-${writer.pidStart}-`

const temporaryPattern = /^\.tmp-([0-9]{1,10})-([0-9]{1,20})-/
export const parseTemporaryName = (name: string): { readonly pid: number; readonly pidStart: number } | null => {
  const match = temporaryPattern.exec(name)
  return match === null ? null : { pid: Number(match[1]), pidStart: Number(match[2]) }
}
