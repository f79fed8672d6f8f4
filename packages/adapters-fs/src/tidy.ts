/**
 * Sweeps what crashed writers left: temporary files whose writer is dead. A deletion renames a lease aside before it
 * looks at it for the last time; what a crash left there is put back unless it is the lease that was meant, so that no
 * lease is ever swept as litter.
 */
import { linkSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { leaseMaxBytes } from "@tinyscheduler/core/domain/Lease"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { parseTemporaryName } from "@tinyscheduler/core/protocol/layout"
import { codeOf, unwritable } from "./errno.ts"
import { fieldOf, isRecord, readJson } from "./jsonFile.ts"
import { isLegacyForm } from "./legacyLease.ts"
import { namesIn } from "./scanLeases.ts"
import type { StatePaths } from "./StatePaths.ts"

/** What a deletion is meant for: the lease with this token, or one of an old form. */
export type Meant = { readonly token: string } | "legacy"

/** Stands in the temporary name of a deletion; `parseRemovalMark` reads it back. */
export const removalMark = (meant: Meant, name: string): string =>
  `remove.${meant === "legacy" ? meant : meant.token}.${name}`

const markPattern = /-remove\.(legacy|[0-9a-f-]{36})\.(task_[1-9][0-9]{0,15}\.json)$/

const parseRemovalMark = (name: string): { readonly meant: Meant; readonly name: string } | null => {
  const [, who, original] = markPattern.exec(name) ?? []
  if (who === undefined || original === undefined) return null
  return { meant: who === "legacy" ? who : { token: who }, name: original }
}

/** Whether the lease at a path is the one that a deletion is meant for. Unreadable is not meant. */
export const isMeantLease = (path: string, meant: Meant): boolean => {
  const file = readJson(path, { maxBytes: leaseMaxBytes, trust: "state" })
  if (file._tag !== "Json" || !isRecord(file.value)) return false
  return meant === "legacy" ? isLegacyForm(file.value) : fieldOf(file.value, "token") === meant.token
}

const sweep = (directory: string, name: string): void => {
  const path = join(directory, name)
  const removal = parseRemovalMark(name)
  if (removal !== null && !isMeantLease(path, removal.meant)) {
    try {
      linkSync(path, join(directory, removal.name))
    } catch (error) {
      // A newer one has been written in the meantime, or another sweep was faster.
      if (codeOf(error) !== "EEXIST" && codeOf(error) !== "ENOENT") throw error
    }
  }
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error
  }
}

/** Removes temporary files whose writer is dead, under the lock; answers how many. */
export const tidy = Effect.fn("tidy")(function* (
  paths: StatePaths,
  isDead: (pid: number, pidStart: number) => boolean
) {
  const lock = yield* SchedulerLock
  let swept = 0
  for (const directory of [
    paths.running,
    paths.claims,
    paths.stops,
    paths.attempts,
    paths.requests,
    paths.answers,
    paths.state
  ]) {
    const litter = (yield* namesIn(directory)).filter((name) => {
      const writer = parseTemporaryName(name)
      return writer !== null && isDead(writer.pid, writer.pidStart)
    })
    for (const name of litter) {
      yield* lock.confirm
      yield* Effect.try({
        try: () => sweep(directory, name),
        catch: (error) => unwritable(join(directory, name), error)
      })
      swept += 1
    }
  }
  return swept
})
