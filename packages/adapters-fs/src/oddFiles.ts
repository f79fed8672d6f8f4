/**
 * The files of the state directory that a pass can't read or does not look at: what was set aside, leftovers, names that
 * mean nothing, files that others may write. Reading only, never through a link.
 */
import { lstatSync } from "node:fs"
import type { BigIntStats } from "node:fs"
import { join } from "node:path"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { OddFile, UnreadableFile } from "@tinyscheduler/core/ports/StateInventory"
import {
  parseClaimFileName,
  parseStopFileName,
  parseTaskFileName,
  parseTemporaryName,
  taskFileName
} from "@tinyscheduler/core/protocol/layout"
import { readAttemptsFile } from "./AttemptHistory.ts"
import { guessFile } from "./guessFile.ts"
import { readClaimFile, readLeaseFile, readStopFile } from "./leaseFiles.ts"
import { oneLine } from "./oneLine.ts"
import { distrust, listDirectory, readSafely } from "./safeFile.ts"
import { claimNamesOf, isTaskId, stopNamesOf, taskIdsOf } from "./scanLeases.ts"
import type { StatePaths } from "./StatePaths.ts"

const statOf = (path: string): BigIntStats | null => lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null

const kindOf = (stat: BigIntStats): string =>
  stat.isSymbolicLink() ? "a symbolic link" : stat.isDirectory() ? "a directory" : stat.isFile() ? "a file" : "no file"

const asTaskId = (id: number | undefined): TaskId | null => (isTaskId(id) ? TaskId.make(id) : null)

/** Names that `setLeaseAside`, `setClaimAside`, `keepAttempts` and `keepAgents` give. */
const asideKinds: ReadonlyArray<readonly [RegExp, (numbers: ReadonlyArray<string>) => string]> = [
  [/^task_([1-9][0-9]{0,15})\.[0-9]+\.json$/, ([id]) => `a lease of task ${id}`],
  [/^claim_([1-9][0-9]{0,15})\.([1-9][0-9]{0,15})\.[0-9]+$/, ([id, epoch]) => `a claim of task ${id}, epoch ${epoch}`],
  [/^attempts_([1-9][0-9]{0,15})\.[0-9]+\.json$/, ([id]) => `an attempts file of task ${id}`],
  [/^agents\.[0-9]+\.json$/, () => "the agents' records"]
]

const asideFile = (directory: string, name: string, stat: BigIntStats): OddFile => {
  const size = stat.isFile() ? `${stat.size} bytes` : kindOf(stat)
  for (const [pattern, say] of asideKinds) {
    const numbers = pattern.exec(name)?.slice(1)
    if (numbers === undefined) continue
    const taskId = asTaskId(numbers[0] === undefined ? undefined : Number(numbers[0]))
    return { ...placed(directory, name, stat), taskId, holds: `${say(numbers)}, ${size}` }
  }
  return { ...placed(directory, name, stat), taskId: null, holds: size }
}

const placed = (directory: string, name: string, stat: BigIntStats) => ({
  _tag: "Aside" as const,
  path: join(directory, name),
  name,
  modifiedMs: Number(stat.mtimeMs)
})

/** The files of a directory that a pass reads by their names. */
const inDirectory = (directory: string, isOurs: (name: string) => boolean): ReadonlyArray<OddFile> =>
  listDirectory(directory).flatMap((name): ReadonlyArray<OddFile> => {
    const path = join(directory, name)
    const writer = parseTemporaryName(name)
    if (writer !== null) return [{ _tag: "Temporary", path, ...writer }]
    const stat = statOf(path)
    if (stat === null) return []
    if (!isOurs(name)) return [{ _tag: "Strange", path, what: `${kindOf(stat)} named ${oneLine(name, 60)}` }]
    const problem = stat.isFile() ? distrust(stat, "state") : null
    return problem === null ? [] : [{ _tag: "Untrusted", path, problem }]
  })

/** It could not even be opened or read to its end: it may be as good as it was, and the disk or the rights are at fault. */
const isOutOfReach = (path: string): boolean => {
  const file = readSafely(path, { maxBytes: 1, trust: "state" })
  return file._tag === "Refused" && file.stamp === null && statOf(path)?.isFile() === true
}

const outOfReach = (paths: ReadonlyArray<string>): ReadonlyArray<OddFile> =>
  paths.filter(isOutOfReach).map((path) => ({ _tag: "Untrusted", path, problem: "can't be opened by this user" }))

const ofFile = (path: string): ReadonlyArray<OddFile> => {
  const stat = statOf(path)
  const problem = stat !== null && stat.isFile() ? distrust(stat, "state") : null
  return problem === null ? [] : [{ _tag: "Untrusted", path, problem }]
}

const unreadableStops = (paths: StatePaths): ReadonlyArray<OddFile> =>
  stopNamesOf(listDirectory(paths.stops)).flatMap(({ epoch, name, taskId }): ReadonlyArray<OddFile> => {
    const path = join(paths.stops, name)
    const isThere = statOf(path) !== null
    return isThere && readStopFile(paths.stops, taskId, epoch).value === null
      ? [{ _tag: "UnreadableStop", path, taskId, problem: "it can't be read" }]
      : []
  })

/** The private TMPDIRs of attempts: a claim is the last that is deleted of one. */
const temporaryDirectories = (paths: StatePaths, directory: string): ReadonlyArray<OddFile> =>
  listDirectory(directory)
    .filter((name) => parseClaimFileName(name) !== null && statOf(join(paths.claims, name)) === null)
    .map((name) => ({ _tag: "TemporaryDirectory", path: join(directory, name) }))

/** Everything odd, by path. Throws what the file system throws. */
export const findOddFiles = (
  paths: StatePaths,
  temporaryDirectory: string,
  unreadable: ReadonlyArray<UnreadableFile>
): ReadonlyArray<OddFile> =>
  [
    ...listDirectory(paths.aside).flatMap((name) => {
      const stat = statOf(join(paths.aside, name))
      return stat === null ? [] : [asideFile(paths.aside, name, stat)]
    }),
    ...inDirectory(paths.running, (name) => parseTaskFileName(name) !== null),
    ...inDirectory(paths.claims, (name) => parseClaimFileName(name) !== null),
    ...inDirectory(paths.stops, (name) => parseStopFileName(name) !== null),
    ...inDirectory(paths.attempts, (name) => parseTaskFileName(name) !== null),
    ...inDirectory(paths.history, (name) => /^[0-9]{6}\.jsonl$/.test(name)),
    ...listDirectory(paths.state).flatMap((name): ReadonlyArray<OddFile> => {
      const writer = parseTemporaryName(name)
      return writer === null ? [] : [{ _tag: "Temporary", path: join(paths.state, name), ...writer }]
    }),
    ...outOfReach([...unreadable.map(({ path }) => path), paths.agents]),
    ...ofFile(paths.agents),
    ...ofFile(paths.term),
    ...unreadableStops(paths),
    ...temporaryDirectories(paths, temporaryDirectory)
  ].sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0))

const unreadableFile = (path: string, problem: string): UnreadableFile => ({
  path,
  problem,
  modifiedMs: Number(statOf(path)?.mtimeMs ?? 0n),
  guess: guessFile(path)
})

/** Every lease, claim and attempts file that can't be read as one, with what can be made out in it. */
export const findUnreadableFiles = (paths: StatePaths): ReadonlyArray<UnreadableFile> => [
  ...taskIdsOf(listDirectory(paths.running)).flatMap((taskId) => {
    const lease = readLeaseFile(paths.running, taskId).value
    return lease._tag === "Unreadable" ? [unreadableFile(lease.path, lease.problem)] : []
  }),
  ...claimNamesOf(listDirectory(paths.claims)).flatMap(({ epoch, taskId }) => {
    const claim = readClaimFile(paths.claims, taskId, epoch).value
    return claim?._tag === "Unreadable" ? [unreadableFile(claim.path, claim.problem)] : []
  }),
  ...taskIdsOf(listDirectory(paths.attempts)).flatMap((taskId) => {
    const path = join(paths.attempts, taskFileName(taskId))
    const { problem } = readAttemptsFile(path, taskId).value
    return problem === null ? [] : [unreadableFile(path, problem)]
  })
]

/** Why the term can't even be replaced by the next one; null when it can. */
export const findTermProblem = ({ term }: StatePaths): string | null => {
  const stat = statOf(term)
  return stat === null || stat.isFile() || stat.isSymbolicLink() ? null : `${term} is ${kindOf(stat)}, not a file`
}
