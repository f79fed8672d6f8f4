/**
 * Wakes a daemon when one of a few files may have changed, appeared or gone. Their directories are watched, since editors
 * and deployments replace a file rather than write into it. Only a hint: whoever is woken looks at the files.
 */
import { basename, dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { openDirectoryWatch, type WatchSignal } from "./directoryWatch.ts"

export interface FileWatchTimes {
  /** How long changes are gathered: a file is often written in several steps. */
  readonly debounce: number
  /** After which time a directory that can't be watched (it may not exist yet) is tried again. */
  readonly retry: number
}

const timesDefault: FileWatchTimes = { debounce: 200, retry: 10_000 }

const namesByDirectory = (paths: ReadonlyArray<string>): ReadonlyMap<string, ReadonlySet<string>> => {
  const names = new Map<string, Set<string>>()
  for (const path of paths) {
    const known = names.get(dirname(path))
    if (known === undefined) names.set(dirname(path), new Set([basename(path)]))
    else known.add(basename(path))
  }
  return names
}

/** Watches until the directory or the watcher is gone; `missed` = something may have happened while nobody watched. */
const watchOnce = Effect.fnUntraced(function* (
  directory: string,
  names: ReadonlySet<string>,
  options: { readonly debounce: number; readonly missed: boolean },
  wake: () => void
) {
  const signals = yield* Queue.sliding<WatchSignal>(1)
  const isOurs = (name: string | null) => name === null || names.has(name)
  yield* openDirectoryWatch(directory, isOurs, (signal) => Queue.offerUnsafe(signals, signal))
  if (options.missed) wake()
  for (;;) {
    const signal = yield* Queue.take(signals)
    yield* Effect.sleep(options.debounce)
    wake()
    if (signal === "ended") return
  }
})

/** Emits once for any number of changes that no one has taken yet; never fails, never ends. */
export const fileChanges = (paths: ReadonlyArray<string>, times: FileWatchTimes = timesDefault): Stream.Stream<void> =>
  Stream.callback<void>(
    (wakes) => {
      const wake = () => Queue.offerUnsafe(wakes, undefined)
      const watchDirectory = Effect.fnUntraced(function* (directory: string, names: ReadonlySet<string>) {
        for (let missed = false; ; missed = true) {
          const options = { debounce: times.debounce, missed }
          // No directory yet, or no watching here: tried again; until then the passes look for themselves.
          yield* Effect.ignore(Effect.scoped(watchOnce(directory, names, options, wake)))
          yield* Effect.sleep(times.retry)
        }
      })
      return Effect.forEach(namesByDirectory(paths), ([directory, names]) => watchDirectory(directory, names), {
        concurrency: "unbounded",
        discard: true
      })
    },
    { bufferSize: 1, strategy: "sliding" }
  )
