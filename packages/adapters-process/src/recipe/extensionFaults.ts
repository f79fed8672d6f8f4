/** Whether a recipe's extensions are of a kind that Goose knows, and whether its Tinytask is the scheduler's. */
import { fault, itemsOf, textOf } from "./RecipePlace.ts"
import type { RecipeFault, RecipePlace } from "./RecipePlace.ts"

const kinds = new Set(["stdio", "builtin", "platform", "streamable_http", "frontend", "inline_python"])

/** One server has many names on its own machine. */
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

const serverOf = (address: string): string | null => {
  const url = URL.parse(address)
  return url === null
    ? null
    : `${url.protocol}//${loopback.test(url.hostname) ? "localhost" : url.hostname}:${url.port}`
}

/** An agent that reports to another server never completes its task; an address that the template makes is any. */
const addressFaults = (place: RecipePlace, tinytask: string | null): ReadonlyArray<RecipeFault> => {
  const uri = textOf(place, "uri")
  const isTinytask = /tinytask/i.test(textOf(place, "name") ?? "")
  if (!isTinytask || uri === null || tinytask === null) return []
  const server = serverOf(uri)
  return server === null || server === serverOf(tinytask)
    ? []
    : [fault(place, "uri", `is ${uri}, and the scheduler asks ${tinytask}`, "warning")]
}

export const extensionFaults = (top: RecipePlace, tinytask: string | null): ReadonlyArray<RecipeFault> => {
  const { faults, places } = itemsOf(top, "extensions")
  return [
    ...faults,
    ...places.flatMap((place) => {
      const kind = textOf(place, "type")
      return kind !== null && kinds.has(kind)
        ? addressFaults(place, tinytask)
        : [fault(place, "type", `is ${kind ?? "missing"}; expected one of ${[...kinds].join(", ")}`, "warning")]
    })
  ]
}
