/** Whether the cgroups that agents ask for can be made: seen from here, where this command runs. */
import { delegation } from "@tinyscheduler/adapters-process/Cgroups"
import type { CgroupPlace } from "@tinyscheduler/core/ports/Cgroups"
import type { Configuration } from "../settings/Configuration.ts"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"

const { ok, warning } = checksOf("machine")

export const isolationChecks = (
  { desired }: Pick<Configuration, "desired">,
  place: CgroupPlace = delegation()
): ReadonlyArray<Check> => {
  const names = desired.agents.filter(({ isolation }) => isolation === "cgroup").map(({ name }) => name)
  if (names.length === 0) return []
  return place._tag === "Place"
    ? [ok("cgroups", `of attempts can be made in ${place.directory}, for ${names.join(", ")}`)]
    : [
        warning(
          "cgroups",
          `can't be made here, though ${names.join(", ")} ${names.length === 1 ? "asks" : "ask"} for them: ${place.why}; attempts run without, and what they start is found by looking through all processes`,
          "run the scheduler as a service with Delegate=yes, as the units in deploy/ do; a service has a cgroup of its own, which this check can't see from here"
        )
      ]
}
