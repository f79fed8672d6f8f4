/** `state/term`: a number that grows each time a scheduler takes the lock, so that one that slept can be told apart. */
import type { Term } from "@tinyscheduler/core/domain/identifiers"
import { Term as TermSchema } from "@tinyscheduler/core/domain/identifiers"
import { taskIdsOf } from "./scanLeases.ts"
import type { DurableFiles } from "./DurableFiles.ts"
import { makeDecoder, type Decoded } from "./jsonFile.ts"
import { readLeaseFile } from "./leaseFiles.ts"
import { listDirectory, readSafely } from "./safeFile.ts"
import type { StatePaths } from "./StatePaths.ts"

const decodeTerm = makeDecoder(TermSchema)

/** The term as it stands, or what keeps it from being one, to be said after the file's path. */
export const lookAtTerm = (paths: StatePaths): Decoded<Term> => {
  const file = readSafely(paths.term, { maxBytes: 1024, trust: "state" })
  if (file._tag === "Missing") return { ok: false, problem: "is not there" }
  if (file._tag === "Refused") return { ok: false, problem: file.problem }
  const term = /^[0-9]{1,16}\n?$/.test(file.text) ? decodeTerm(Number(file.text)) : null
  return term?.ok === true ? term : { ok: false, problem: "holds no term" }
}

const largestInLeases = (paths: StatePaths): number =>
  taskIdsOf(listDirectory(paths.running)).reduce((largest, taskId) => {
    const lease = readLeaseFile(paths.running, taskId).value
    return lease._tag === "Read" ? Math.max(largest, lease.lease.term) : largest
  }, 0)

/** Raises the term durably; only under the lock. Throws when it can't be raised. */
export const raiseTerm = (files: DurableFiles, paths: StatePaths): Term => {
  const last = lookAtTerm(paths)
  const term = decodeTerm((last.ok ? last.value : largestInLeases(paths)) + 1)
  if (!term.ok) throw new Error("it has reached its largest number")
  files.replace(paths.term, `${term.value}\n`)
  return term.value
}
