/** Where ports meet their adapters: the one place. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AttemptHistoryFiles from "@tinyscheduler/adapters-fs/AttemptHistory"
import * as LeaseStoreFiles from "@tinyscheduler/adapters-fs/LeaseStore"
import * as RequestFiles from "@tinyscheduler/adapters-fs/Requests"
import * as SchedulerLockFile from "@tinyscheduler/adapters-fs/SchedulerLock"
import * as Launcher from "@tinyscheduler/adapters-process/AgentLauncher"
import * as Cgroups from "@tinyscheduler/adapters-process/Cgroups"
import * as Processes from "@tinyscheduler/adapters-process/ProcessTable"
import * as InventoryFiles from "@tinyscheduler/adapters-fs/StateInventory"
import { layerTaskQueue } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import type { TinytaskOptions } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import { ProcessTable } from "@tinyscheduler/core/ports/ProcessTable"
import { supervisorCommand } from "./supervisorProgram.ts"
import type { Configuration } from "./settings/Configuration.ts"
import type { Settings } from "./settings/settingTable.ts"

export const tinytaskOptions = (settings: Settings): TinytaskOptions => ({
  endpoint: settings.mcpEndpoint,
  token: settings.mcpToken,
  allowInsecure: settings.allowInsecure,
  timeoutMs: settings.mcpTimeoutSec * 1000,
  listTimeoutMs: settings.mcpTimeoutSec * 3000
})

/**
 * Every port of a pass. `access` decides about the lock alone: commands that only look can't write, whatever they call.
 * The configuration is asked for at each launch, since a running daemon may have a newer one.
 */
export const layerPorts = (
  configuration: Configuration,
  access: "writes" | "looks",
  current: () => Configuration = () => configuration
) => {
  const { paths, settings } = configuration
  const state = Effect.map(
    Effect.flatMap(ProcessTable, (processes) => processes.ourselves),
    ({ here, pid, pidStart }) => ({ paths, writer: { pid, pidStart, bootId: here.bootId } })
  )
  const lock = Layer.unwrap(
    Effect.map(state, (options) =>
      access === "writes" ? SchedulerLockFile.layer(options) : SchedulerLockFile.layerReadOnly(paths)
    )
  )
  const files = Layer.unwrap(
    Effect.map(state, (options) =>
      Layer.mergeAll(
        LeaseStoreFiles.layer(options),
        AttemptHistoryFiles.layer(options),
        RequestFiles.layer(options),
        InventoryFiles.layer({ ...options, temporaryDirectory: configuration.temporaryDir })
      )
    )
  )
  const launcher = Launcher.layer({
    supervisorCommand: supervisorCommand(paths.state),
    runningDir: paths.running,
    claimsDir: paths.claims,
    logDir: paths.logs,
    tmpDir: configuration.temporaryDir,
    environment: process.env,
    current: () => {
      const { launchOf, recipesDir, settings: latest } = current()
      return {
        recipesDir,
        heartbeatSec: latest.heartbeatSec,
        stopGraceSec: latest.stopGraceSec,
        describe: launchOf
      }
    }
  })
  return Layer.mergeAll(files, launcher, layerTaskQueue(tinytaskOptions(settings))).pipe(
    Layer.provideMerge(lock),
    Layer.provideMerge(Layer.mergeAll(Processes.layer, Cgroups.layer))
  )
}
