/** One watched directory, as the watchers of leases and of files see it: something in it was touched, or it is over. */
import { watch } from "node:fs"
import { basename } from "node:path"
import * as Effect from "effect/Effect"

export type WatchSignal = "touched" | "ended"

/**
 * Open until the scope closes; fails when the directory can't be watched. `isOurs` is asked of each name, null when the
 * system did not say which.
 */
export const openDirectoryWatch = (
  directory: string,
  isOurs: (name: string | null) => boolean,
  onSignal: (signal: WatchSignal) => void
) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const watcher = watch(directory, { persistent: false }, (_event, name) => {
          if (isOurs(name)) onSignal("touched")
          // A directory that is deleted is reported by its own name, once; its watcher sees nothing after that.
          else if (name === basename(directory)) onSignal("ended")
        })
        watcher.on("error", () => onSignal("ended"))
        return watcher
      },
      catch: () => "unwatchable" as const
    }),
    (watcher) => Effect.sync(() => watcher.close())
  )
