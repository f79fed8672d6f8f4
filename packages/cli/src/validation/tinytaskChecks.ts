/** Whether Tinytask answers, has the tools that are called, and agrees with us about the time. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isLoopbackHost } from "@tinyscheduler/adapters-tinytask/Endpoint"
import type { ServerInfo } from "@tinyscheduler/adapters-tinytask/ServerInfo"
import { layerTinytask, Tinytask } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import { tinytaskOptions } from "../layers.ts"
import type { Configuration } from "../settings/Configuration.ts"
import type { Settings } from "../settings/settingTable.ts"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"

const { error, ok, warning } = checksOf("tinytask")

/** A difference that no slow answer explains and that people see in times. */
const skewMaxMs = 5000

const clockCheck = ({ skewMs }: ServerInfo): Check => {
  const what = "Tinytask's clock"
  if (skewMs === null) return ok(what, "is not told: its answers have no Date, so it can't be compared")
  if (Math.abs(skewMs) <= skewMaxMs) return ok(what, "agrees with this machine's")
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  return warning(
    what,
    `is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} this machine's`,
    "set the one that is wrong: times of tasks and of attempts won't fit together"
  )
}

const wireChecks = ({ mcpEndpoint, mcpToken }: Settings): ReadonlyArray<Check> => {
  const { hostname, protocol } = new URL(mcpEndpoint)
  if (protocol === "https:" || isLoopbackHost(hostname)) return []
  const read = mcpToken === null ? "task texts are" : "the token and task texts are"
  return [warning("Tinytask", `is asked by plain http at ${hostname}: ${read} readable on the way`, "use https")]
}

/** Down or not a Tinytask: which, the reason says. */
const wayOut = (tag: "EndpointRefused" | "TaskQueueUnreachable" | "TaskQueueRejected"): string =>
  tag === "EndpointRefused"
    ? "correct TINYSCHEDULER_MCP_ENDPOINT, or allow it with --allow-insecure"
    : "start it, or run one of our own with tinyscheduler up, or name another with --mcp-endpoint"

export const tinytaskChecks = Effect.fn("tinytaskChecks")(function* ({ settings }: Configuration) {
  const probed = yield* Effect.flatMap(Tinytask, ({ probe }) => probe).pipe(
    Effect.provide(layerTinytask({ ...tinytaskOptions(settings), retries: 1 })),
    Effect.result
  )
  if (Result.isFailure(probed)) {
    return [error("Tinytask", probed.failure.message, wayOut(probed.failure._tag))]
  }
  const { name, toolsMissing, transport, version } = probed.success
  return [
    toolsMissing.length === 0
      ? ok("Tinytask", `${name} ${version} answers at ${settings.mcpEndpoint} (${transport})`)
      : error("Tinytask", `lacks the tools ${toolsMissing.join(", ")}`, "update it"),
    ...wireChecks(settings),
    clockCheck(probed.success)
  ] satisfies ReadonlyArray<Check>
})
