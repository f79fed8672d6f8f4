/**
 * Wakes a daemon when a command asks for something. A request that stays (a stop that can't be begun yet) wakes nobody
 * twice, nor does its removal. Only a hint; where the system can't watch, the interval between passes remains.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { parseRequestFileName } from "@tinyscheduler/core/protocol/layout"
import { openDirectoryWatch, type WatchSignal } from "./directoryWatch.ts"
import { listDirectory } from "./safeFile.ts"
import type { StatePaths } from "./StatePaths.ts"

export interface RequestWatchTimes {
  /** How long arrivals are gathered before they are looked at. */
  readonly debounce: number
  /** After which time a directory that can't be watched (it may not exist yet) is tried again. */
  readonly retry: number
}

const timesDefault: RequestWatchTimes = { debounce: 50, retry: 10_000 }

const isRequest = (name: string): boolean => parseRequestFileName(name) !== null

const listRequests = (directory: string): ReadonlyArray<string> => {
  try {
    return listDirectory(directory).filter(isRequest)
  } catch {
    // The next pass reads it and says why it can't.
    return []
  }
}

/** True when a request is there that was not there before; what is there is remembered. */
const compare = (directory: string, known: Set<string>): boolean => {
  const names = listRequests(directory)
  const arrived = names.some((name) => !known.has(name))
  known.clear()
  for (const name of names) known.add(name)
  return arrived
}

/** Watches until the directory or the watcher is gone. */
const watchOnce = Effect.fnUntraced(function* (
  directory: string,
  known: Set<string>,
  debounce: number,
  wake: () => void
) {
  const signals = yield* Queue.sliding<WatchSignal>(1)
  yield* openDirectoryWatch(
    directory,
    (name) => name === null || isRequest(name),
    (signal) => Queue.offerUnsafe(signals, signal)
  )
  // What came while nobody watched is looked at first.
  for (let signal: WatchSignal = "touched"; ; signal = yield* Queue.take(signals)) {
    yield* Effect.sleep(debounce)
    if (yield* Effect.sync(() => compare(directory, known))) wake()
    if (signal === "ended") return
  }
})

/** Emits once for any number of arrivals that no one has taken yet; never fails, never ends. */
export const requestArrivals = (paths: StatePaths, times: RequestWatchTimes = timesDefault): Stream.Stream<void> =>
  Stream.callback<void>(
    (wakes) => {
      const known = new Set<string>()
      const wake = () => Queue.offerUnsafe(wakes, undefined)
      return Effect.scoped(watchOnce(paths.requests, known, times.debounce, wake)).pipe(
        Effect.ignore,
        Effect.andThen(Effect.sleep(times.retry)),
        Effect.forever
      )
    },
    { bufferSize: 1, strategy: "sliding" }
  )
