/** Slots and limits that keep tasks from ever starting, or that say nothing. */
import type { Configuration } from "../settings/Configuration.ts"
import { checksOf, counted } from "./Check.ts"
import type { Check } from "./Check.ts"
import type { Examined } from "./examine.ts"

const { warning } = checksOf("agents")

const plural = (names: ReadonlyArray<string>, one: string, many: string): string =>
  `${names.join(", ")} ${names.length === 1 ? one : many}`

const slotChecks = ({ desired, settings }: Configuration): ReadonlyArray<Check> => {
  const enabled = desired.agents.filter((agent) => agent.enabled)
  const idle = enabled.filter(({ slots }) => slots === 0).map(({ name }) => name)
  const sum = enabled.reduce((slots, agent) => slots + agent.slots, 0)
  return [
    ...(desired.agents.length > 0 && enabled.length === 0
      ? [warning("slots", "every agent is disabled: nothing starts", "enable one")]
      : []),
    ...(idle.length === 0
      ? []
      : [warning("slots", `${plural(idle, "has", "have")} 0 slots and never start`, "raise them")]),
    ...(settings.maxConcurrent === 0
      ? [warning("TINYSCHEDULER_MAX_CONCURRENT", "is 0: nothing starts", "raise or unset it")]
      : settings.maxConcurrent !== null && sum > settings.maxConcurrent
        ? [
            warning(
              "TINYSCHEDULER_MAX_CONCURRENT",
              `lets ${settings.maxConcurrent} run at once, while the agents' slots add up to ${sum}`,
              "nothing, if the lower one is meant"
            )
          ]
        : [])
  ]
}

/** Agents for which nobody said how many tasks they may run: only where the default was not chosen either. */
const unlimitedChecks = ({ config, control }: Examined): ReadonlyArray<Check> => {
  if (control._tag !== "Read" || config.origins.defaultSlots.origin !== "default") return []
  const names = control.control.entries
    .filter(({ name, slots }) => slots === null && !config.settings.agentLimits.has(name))
    .map(({ name }) => name)
  return names.length === 0
    ? []
    : [
        warning(
          "slots",
          `${plural(names, "has", "have")} no slots of ${names.length === 1 ? "its" : "their"} own: ${counted(config.settings.defaultSlots, "task")} at once each`,
          "give slots in the file, or set TINYSCHEDULER_DEFAULT_SLOTS"
        )
      ]
}

const queueChecks = ({ desired }: Configuration): ReadonlyArray<Check> => {
  const served = new Set<string>(desired.agents.flatMap((agent) => agent.queues))
  const variable = "TINYSCHEDULER_QUEUE_LIMITS"
  return desired.queueLimits.flatMap(({ limit, queue }) => [
    ...(served.has(queue)
      ? []
      : [warning(variable, `names queue ${queue}, which no agent serves`, "correct its name")]),
    ...(limit === 0
      ? [warning(variable, `lets nothing of queue ${queue} start`, "raise it, if that is not meant")]
      : [])
  ])
}

export const capacityChecks = (examined: Examined): ReadonlyArray<Check> =>
  examined.control._tag === "Broken"
    ? []
    : [...slotChecks(examined.config), ...unlimitedChecks(examined), ...queueChecks(examined.config)]
