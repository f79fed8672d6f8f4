/** Slots and limits that keep tasks from ever starting, or that say nothing. */
import type { Configuration } from "../settings/Configuration.ts"
import { checksOf, counted } from "./Check.ts"
import type { Check } from "./Check.ts"
import type { Examined } from "./examine.ts"

const { warning } = checksOf("agents")

const when = (holds: boolean, check: () => Check): ReadonlyArray<Check> => (holds ? [check()] : [])

const slotChecks = ({ desired, settings: { maxConcurrent } }: Configuration): ReadonlyArray<Check> => {
  const most = "TINYSCHEDULER_MAX_CONCURRENT"
  const enabled = desired.agents.filter((agent) => agent.enabled)
  const idle = enabled.filter(({ slots }) => slots === 0).map(({ name }) => name)
  const sum = enabled.reduce((slots, agent) => slots + agent.slots, 0)
  const between = maxConcurrent !== null && maxConcurrent > 0 && maxConcurrent < sum
  return [
    ...when(desired.agents.length > 0 && enabled.length === 0, () =>
      warning("slots", "every agent is disabled: nothing starts", "enable one")
    ),
    ...when(idle.length > 0, () => warning("slots", `no start for ${idle.join(", ")}: 0 slots`, "raise them")),
    ...when(maxConcurrent === 0, () => warning(most, "is 0: nothing starts", "raise or unset it")),
    ...when(between, () =>
      warning(
        most,
        `lets ${maxConcurrent} run at once, while the agents' slots add up to ${sum}`,
        "nothing, if the lower one is meant"
      )
    )
  ]
}

/** Agents for which nobody said how many tasks they may run: only where the default was not chosen either. */
const unlimitedChecks = ({ config, control }: Examined): ReadonlyArray<Check> => {
  if (control._tag !== "Read" || config.origins.defaultSlots.origin !== "default") return []
  const names = control.control.entries
    .filter(({ name, slots }) => slots === null && !config.settings.agentLimits.has(name))
    .map(({ name }) => name)
  return when(names.length > 0, () =>
    warning(
      "slots",
      `none given for ${names.join(", ")}: ${counted(config.settings.defaultSlots, "task")} at once each`,
      "give slots in the file, or set TINYSCHEDULER_DEFAULT_SLOTS"
    )
  )
}

/** Limits of queues that nobody serves are among the warnings of the configuration itself. */
const queueChecks = ({ desired }: Configuration): ReadonlyArray<Check> =>
  desired.queueLimits
    .filter(({ limit }) => limit === 0)
    .map(({ queue }) =>
      warning("TINYSCHEDULER_QUEUE_LIMITS", `lets nothing of queue ${queue} start`, "raise it, if that is not meant")
    )

export const capacityChecks = (examined: Examined): ReadonlyArray<Check> =>
  examined.control._tag === "Broken"
    ? []
    : [...slotChecks(examined.config), ...unlimitedChecks(examined), ...queueChecks(examined.config)]
