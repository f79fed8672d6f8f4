/**
 * Names and what stands for them: all are gathered first, so that the stand-ins sort as the names do. A decision falls back
 * on names where all else is equal; with another order it would be another decision.
 */

/** Each kind has stand-ins of its own; who is assigned is named like an agent, which it may be. */
export const nameKinds = ["agent", "person", "queue", "recipe", "path", "tag", "host", "boot", "server"] as const
export type NameKind = (typeof nameKinds)[number]

/** Answers what is to stand in the place of a name. */
export type Rename = (kind: NameKind, name: string) => string

export class Names {
  readonly #known = new Map<NameKind, Set<string>>(nameKinds.map((kind) => [kind, new Set<string>()]))

  /** Notes a name, and leaves it as it is. */
  readonly gather: Rename = (kind, name) => {
    this.#known.get(kind)?.add(name)
    return name
  }

  /** For the names gathered so far. */
  standIns(): Rename {
    const tables = new Map(
      [...this.#known].map(([kind, names]) => {
        const sorted = [...names].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
        const width = String(sorted.length).length
        return [
          kind,
          new Map(sorted.map((name, at) => [name, `${kind}-${String(at + 1).padStart(width, "0")}`] as const))
        ] as const
      })
    )
    return (kind, name) => tables.get(kind)?.get(name) ?? `${kind}-unknown`
  }
}
