/** Files of the state directory that nobody misses, that nobody knows, or that nobody may trust. */
import type { OddFile } from "../ports/StateInventory.ts"
import type { Finding } from "./Finding.ts"
import type { Case, Examination } from "./examine.ts"
import { pathAtHead } from "./pathAtHead.ts"

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

/** Which of these files findings are about. */
const pathsIn = (told: ReadonlyArray<Finding>, untrusted: ReadonlySet<string>): ReadonlyArray<string | null> =>
  told.flatMap((finding) => [
    ...("path" in finding ? [finding.path] : []),
    ...("problem" in finding ? [pathAtHead(finding.problem, untrusted)] : [])
  ])

/** `told`: what was found of tasks; a file that is part of it is told once. */
export const findFiles = (examination: Examination, told: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const { agentsProblem, inventory, litter } = examination.sight
  const { historyProblem, historySkipped, odd, termProblem } = inventory
  const cases = new Map<number, Case>(examination.cases.map((one) => [one.taskId, one]))
  const swept = [...litter, ...odd.flatMap((file) => (file._tag === "TemporaryDirectory" ? [file.path] : []))]
  const { untrusted } = examination
  const isTold = new Set([
    ...pathsIn(told, untrusted),
    historyProblem === null ? null : pathAtHead(historyProblem, untrusted)
  ])
  return [
    ...(agentsProblem === null || pathAtHead(agentsProblem, untrusted) !== null
      ? []
      : [{ _tag: "UnreadableAgents" as const, problem: agentsProblem }]),
    ...(historyProblem === null ? [] : [{ _tag: "UnreadableHistory" as const, problem: historyProblem }]),
    ...(termProblem === null ? [] : [{ _tag: "UnreadableTerm" as const, problem: termProblem }]),
    ...(swept.length === 0 ? [] : [{ _tag: "Litter" as const, paths: swept }]),
    ...odd
      .filter((file) => file._tag !== "Untrusted" || !isTold.has(file.path))
      .flatMap((file) => ofOddFile(file, examination, cases)),
    ...(historySkipped === 0 ? [] : [{ _tag: "TornHistory" as const, lines: historySkipped }])
  ]
}
