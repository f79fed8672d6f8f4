/**
 * What speaks against a recipe for a Goose that nobody watches: each fault with its line and field. Goose itself refuses
 * the same things, but only when a task has been given to it. Brings a YAML parser with it: import it where it is needed.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml"
import type { Document, Node, YAMLMap } from "yaml"
import { readTemplate, type TemplateReading } from "./templateVariables.ts"

export interface RecipeFault {
  /** An error keeps Goose from starting; a warning does not. */
  readonly level: "warning" | "error"
  /** Null where the parser gives none. */
  readonly line: number | null
  /** As in `parameters.2.requirement`; null for the file as a whole. */
  readonly field: string | null
  readonly says: string
}

/** What the launcher passes by `--params`; Goose refuses what a recipe does not declare. */
export const parametersPassed = ["task_id", "agent_name"]

const inputTypes = new Set(["string", "number", "boolean", "date", "file", "select", "object", "array"])
const requirements = new Set(["required", "optional", "user_prompt"])

/** A mapping with the place of each of its values. */
interface Place {
  readonly map: YAMLMap
  readonly path: string
  readonly lineOf: (node: unknown) => number | null
}

const hasRange = (node: unknown): node is { readonly range: readonly [number, number, number] } =>
  typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)

const lineOfIn =
  (lines: LineCounter) =>
  (node: unknown): number | null =>
    hasRange(node) ? lines.linePos(node.range[0]).line : null

const fieldNode = (map: YAMLMap, key: string): Node | null => {
  const found: unknown = map.get(key, true)
  return isMap(found) || isSeq(found) || isScalar(found) ? found : null
}

/** The text of a field; null when it is missing, no text or blank. Numbers count: `version: 1.0` is one. */
const textOf = (map: YAMLMap, key: string): string | null => {
  const node = fieldNode(map, key)
  if (!isScalar(node) || (typeof node.value !== "string" && typeof node.value !== "number")) return null
  const text = String(node.value)
  return text.trim() === "" ? null : text
}

const fault = (place: Place, key: string, says: string, level: RecipeFault["level"] = "error"): RecipeFault => ({
  level,
  line: place.lineOf(fieldNode(place.map, key) ?? place.map),
  field: place.path === "" ? key : `${place.path}.${key}`,
  says
})

const headFaults = (top: Place): ReadonlyArray<RecipeFault> => [
  ...["title", "description"]
    .filter((key) => textOf(top.map, key) === null)
    .map((key) => fault(top, key, "is missing; Goose refuses a recipe without it")),
  ...(textOf(top.map, "version") === null ? [fault(top, "version", 'is missing; write "1.0.0"', "warning")] : []),
  ...(textOf(top.map, "prompt") === null
    ? [
        fault(
          top,
          "prompt",
          textOf(top.map, "instructions") === null
            ? "is missing; without it Goose has nothing to do"
            : "is missing; instructions alone do not start a run that nobody watches"
        )
      ]
    : [])
]

const parameterFaults = (place: Place): ReadonlyArray<RecipeFault> => {
  const key = textOf(place.map, "key")
  const type = textOf(place.map, "input_type")
  const requirement = textOf(place.map, "requirement")
  const hasDefault = fieldNode(place.map, "default") !== null
  const faults: Array<RecipeFault> = []
  if (key === null) faults.push(fault(place, "key", "is missing"))
  if (type === null || !inputTypes.has(type)) {
    faults.push(fault(place, "input_type", `is ${type ?? "missing"}; expected one of ${[...inputTypes].join(", ")}`))
  }
  if (requirement === null || !requirements.has(requirement)) {
    faults.push(fault(place, "requirement", `is ${requirement ?? "missing"}; expected required or optional`))
  } else if (requirement === "user_prompt") {
    faults.push(fault(place, "requirement", "is user_prompt, which waits for a person; make it required or optional"))
  } else if (requirement === "optional" && !hasDefault && type !== "file") {
    faults.push(fault(place, "default", `is missing; ${key ?? "the parameter"} is optional and needs one`))
  } else if (requirement === "required" && !hasDefault && key !== null && !parametersPassed.includes(key)) {
    faults.push(
      fault(
        place,
        "requirement",
        `is required, but only ${parametersPassed.join(" and ")} are passed: give ${key} a default`
      )
    )
  }
  return faults
}

/** The parameters that are declared, each with its place; a fault where the field is no list of mappings. */
const parametersOf = (
  top: Place
): { readonly places: ReadonlyArray<Place>; readonly faults: ReadonlyArray<RecipeFault> } => {
  const node = fieldNode(top.map, "parameters")
  if (node === null) return { places: [], faults: [] }
  if (!isSeq(node)) return { places: [], faults: [fault(top, "parameters", "is no list")] }
  const items: ReadonlyArray<unknown> = node.items
  const places = items.flatMap((item, index) =>
    isMap(item) ? [{ ...top, map: item, path: `parameters.${index + 1}` }] : []
  )
  const faults = places.length === items.length ? [] : [fault(top, "parameters", "has an item that is no mapping")]
  return { places, faults }
}

const declarationFaults = (
  top: Place,
  declared: ReadonlyMap<string, Place>,
  { includes, named }: TemplateReading
): ReadonlyArray<RecipeFault> => [
  ...parametersPassed
    .filter((key) => !declared.has(key))
    .map((key) => fault(top, "parameters", `does not declare ${key}, which every run is given`)),
  ...[...named]
    .filter(([name]) => !declared.has(name) && !parametersPassed.includes(name))
    .map(([name, line]): RecipeFault => ({
      level: "error",
      line,
      field: null,
      says: `the template names {{ ${name} }}, which parameters does not declare`
    })),
  // What an included template uses can't be seen from here.
  ...[...declared]
    .filter(([key]) => !named.has(key) && !includes)
    .map(([key, place]) => fault(place, "key", `is ${key}, which the template never uses; Goose refuses that`))
]

const duplicateFaults = (places: ReadonlyArray<Place>): ReadonlyArray<RecipeFault> => {
  const seen = new Set<string>()
  return places.flatMap((place) => {
    const key = textOf(place.map, "key")
    if (key === null || !seen.has(key)) {
      if (key !== null) seen.add(key)
      return []
    }
    return [fault(place, "key", `is ${key}, which is declared twice`)]
  })
}

const contentFaults = (top: Place, template: TemplateReading): ReadonlyArray<RecipeFault> => {
  const { faults, places } = parametersOf(top)
  const declared = new Map(
    places.flatMap((place) => {
      const key = textOf(place.map, "key")
      return key === null ? [] : [[key, place] as const]
    })
  )
  return [
    ...headFaults(top),
    ...faults,
    ...places.flatMap(parameterFaults),
    ...duplicateFaults(places),
    ...declarationFaults(top, declared, template)
  ]
}

/** The first error alone: what follows it is most often its echo. */
const syntaxFaults = (
  { errors }: Document.Parsed,
  lines: LineCounter,
  hasStatements: boolean
): ReadonlyArray<RecipeFault> =>
  errors.slice(0, 1).map(({ message, pos }) => ({
    level: hasStatements ? "warning" : "error",
    line: lines.linePos(pos[0]).line,
    field: null,
    says: `is not YAML: ${message}${hasStatements ? ", unless its template makes it so" : ""}`
  }))

/** Everything that is wrong with the text of a recipe, YAML or JSON, in the order of what to mend first. */
export const inspectRecipe = (text: string): ReadonlyArray<RecipeFault> => {
  const lines = new LineCounter()
  const template = readTemplate(text)
  const document = parseDocument(template.plain, { lineCounter: lines, prettyErrors: false, logLevel: "silent" })
  if (document.errors.length > 0) return syntaxFaults(document, lines, text.includes("{%"))
  const map: unknown = document.contents
  if (!isMap(map)) {
    return [{ level: "error", line: null, field: null, says: "holds no mapping of title, description, prompt …" }]
  }
  return contentFaults({ map, path: "", lineOf: lineOfIn(lines) }, template)
}
