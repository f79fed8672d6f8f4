/**
 * What of a situation is not for a file that people pass on: the end of an agent's output (nothing but the result that it
 * states), and whoever's name, password or key stands in an address. Descriptions and comments of tasks are in no
 * situation in the first place. Answers the same object where there was nothing to leave out.
 */
import type { Situation } from "../domain/Situation.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { statedResultIn } from "../reconcile/statedResult.ts"

/** An address without user, password, query and fragment. Two that lead to one server still do. */
export const bareAddress = (address: string): string =>
  address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1").replace(/[?#].*$/s, "")

/** The least output that states the same result. */
const bareTail = (tail: string): string => {
  const result = statedResultIn(tail)
  return result === null ? "" : JSON.stringify({ status: result })
}

const bareRecord = (record: TaskRecord): TaskRecord => {
  const { attempts, lease: sight } = record
  const ownAttempts =
    attempts === null || bareAddress(attempts.endpoint) === attempts.endpoint
      ? attempts
      : { ...attempts, endpoint: bareAddress(attempts.endpoint) }
  if (sight._tag !== "Read") return ownAttempts === attempts ? record : { ...record, attempts: ownAttempts }
  const { lease } = sight
  const endpoint = bareAddress(lease.endpoint)
  const tail = lease.phase === "finished" ? bareTail(lease.exit.tail) : ""
  const isBare = lease.phase !== "finished" || tail === lease.exit.tail
  if (ownAttempts === attempts && endpoint === lease.endpoint && isBare) return record
  const own =
    lease.phase === "finished" ? { ...lease, endpoint, exit: { ...lease.exit, tail } } : { ...lease, endpoint }
  return { ...record, attempts: ownAttempts, lease: { ...sight, lease: own } }
}

export const withoutSecrets = (situation: Situation): Situation => {
  const { desired, observed } = situation
  const records = observed.records.map(bareRecord)
  const endpoint = bareAddress(desired.endpoint)
  const isBare = endpoint === desired.endpoint && records.every((record, index) => record === observed.records[index])
  return isBare ? situation : { observed: { ...observed, records }, desired: { ...desired, endpoint } }
}
