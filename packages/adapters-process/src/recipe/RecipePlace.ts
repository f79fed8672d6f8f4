/** A mapping within a recipe, what stands in it, and a fault that names its place in the file. */
import { isAlias, isMap, isScalar, isSeq, visit } from "yaml"
import type { Alias, Document, LineCounter, Node, YAMLMap } from "yaml"

export interface RecipeFault {
  /** An error keeps Goose from starting; a warning does not. */
  readonly level: "warning" | "error"
  /** Null where the parser gives none. */
  readonly line: number | null
  /** As in `parameters.2.requirement`; null for the file as a whole. */
  readonly field: string | null
  readonly says: string
}

/** What each alias stands for. */
export type AliasTargets = ReadonlyMap<Alias, Node>

export interface RecipePlace {
  readonly aliases: AliasTargets
  readonly map: YAMLMap
  /** Empty for the whole. */
  readonly path: string
  readonly lineOf: (node: unknown) => number | null
}

const hasRange = (node: unknown): node is { readonly range: readonly [number, number, number] } =>
  typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)

export const lineOfIn =
  (lines: LineCounter) =>
  (node: unknown): number | null =>
    hasRange(node) ? lines.linePos(node.range[0]).line : null

/** The last anchor of its name before it; all in one walk, where the parser's own look takes a walk for each alias. */
export const aliasTargetsOf = (document: Document.Parsed): AliasTargets => {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node)
        return
      }
      const target = anchors.get(node.source)
      if (target !== undefined) targets.set(node, target)
    }
  })
  return targets
}

/** What a field holds, aliases followed; null when it is missing. */
export const fieldNode = ({ aliases, map }: RecipePlace, key: string): Node | null => {
  const found: unknown = map.get(key, true)
  const node: unknown = isAlias(found) ? aliases.get(found) : found
  return isMap(node) || isSeq(node) || isScalar(node) ? node : null
}

/** The text of a field; null when it is missing, no text or blank. Numbers count: `version: 1.0` is one. */
export const textOf = (place: RecipePlace, key: string): string | null => {
  const node = fieldNode(place, key)
  if (!isScalar(node) || (typeof node.value !== "string" && typeof node.value !== "number")) return null
  const text = String(node.value)
  return text.trim() === "" ? null : text
}

/** A fault of a field, or of the mapping that lacks it. */
export const fault = (
  place: RecipePlace,
  key: string,
  says: string,
  level: RecipeFault["level"] = "error"
): RecipeFault => ({
  level,
  line: place.lineOf(fieldNode(place, key) ?? place.map),
  field: place.path === "" ? key : `${place.path}.${key}`,
  says
})

/** More than anybody writes by hand; one alias may stand for much, many times. */
const itemsMax = 100

interface Items {
  readonly places: ReadonlyArray<RecipePlace>
  readonly faults: ReadonlyArray<RecipeFault>
}

/** The mappings in a field that lists some; a fault where it is no such list. */
export const itemsOf = (place: RecipePlace, key: string): Items => {
  const node = fieldNode(place, key)
  if (node === null) return { places: [], faults: [] }
  if (!isSeq(node)) return { places: [], faults: [fault(place, key, "is no list")] }
  const items: ReadonlyArray<unknown> = node.items
  if (items.length > itemsMax) return { places: [], faults: [fault(place, key, `has more than ${itemsMax} items`)] }
  const places = items.flatMap((item, index) => {
    const map = isAlias(item) ? place.aliases.get(item) : item
    return isMap(map) ? [{ ...place, map, path: `${key}.${index + 1}` }] : []
  })
  const faults = places.length === items.length ? [] : [fault(place, key, "has an item that is no mapping")]
  return { places, faults }
}
