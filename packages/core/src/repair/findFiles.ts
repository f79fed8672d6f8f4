/** Files of the state directory that nobody misses, that nobody knows, or that nobody may trust. */
import type { OddFile } from "../ports/StateInventory.ts"
import type { Finding } from "./Finding.ts"
import type { Case, Examination } from "./examine.ts"

const ofOddFile = (
  file: OddFile,
  examination: Examination,
  cases: ReadonlyMap<number, Case>
): ReadonlyArray<Finding> => {
  const { observed, purge } = examination.sight
  const isIdle = (taskId: number): boolean => (cases.get(taskId)?.view._tag ?? "Nothing") === "Nothing"
  switch (file._tag) {
    case "Aside": {
      const { holds, modifiedMs, name, path, taskId } = file
      const ageMs = Math.max(0, observed.nowMs - modifiedMs)
      // What belongs to an attempt that has not come to its end may still be asked for.
      return [{ _tag: "AsideFile", path, name, holds, ageMs, purge: purge && (taskId === null || isIdle(taskId)) }]
    }
    case "UnreadableStop":
      // Of a living attempt it is replaced by the next rung.
      return isIdle(file.taskId) ? [{ _tag: "OrphanedStop", taskId: file.taskId, epoch: null, path: file.path }] : []
    case "Untrusted":
      return [{ _tag: "UntrustedFile", path: file.path, problem: file.problem }]
    case "Strange":
      return [{ _tag: "StrangeFile", path: file.path, what: file.what }]
    case "Temporary":
    case "TemporaryDirectory":
      return []
  }
}

export const findFiles = (examination: Examination): ReadonlyArray<Finding> => {
  const { sight } = examination
  const { historySkipped, odd, termProblem } = sight.inventory
  const cases = new Map<number, Case>(examination.cases.map((one) => [one.taskId, one]))
  const heldPaths = new Set(
    sight.observed.records.flatMap(({ claims, lease }) => [
      ...(lease._tag === "Unreadable" ? [lease.path] : []),
      ...claims.flatMap((claim) => (claim._tag === "Unreadable" ? [claim.path] : []))
    ])
  )
  const litter = [...sight.litter, ...odd.flatMap((file) => (file._tag === "TemporaryDirectory" ? [file.path] : []))]
  return [
    ...(sight.agentsProblem === null ? [] : [{ _tag: "UnreadableAgents" as const, problem: sight.agentsProblem }]),
    ...(termProblem === null ? [] : [{ _tag: "UnreadableTerm" as const, problem: termProblem }]),
    ...(litter.length === 0 ? [] : [{ _tag: "Litter" as const, paths: litter }]),
    ...odd
      .filter((file) => file._tag !== "Untrusted" || !heldPaths.has(file.path))
      .flatMap((file) => ofOddFile(file, examination, cases)),
    ...(historySkipped === 0 ? [] : [{ _tag: "TornHistory" as const, lines: historySkipped }])
  ]
}
