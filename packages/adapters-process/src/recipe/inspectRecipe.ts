/**
 * What speaks against a recipe for a Goose that nobody watches: each fault with its line and field. Goose itself refuses
 * the same things, but only when a task has been given to it. Brings a YAML parser with it: import it where it is needed.
 */
import { isMap, isScalar, LineCounter, parseDocument, visit } from "yaml"
import type { Document, Scalar } from "yaml"
import { extensionFaults } from "./extensionFaults.ts"
import { aliasTargetsOf, fault, fieldNode, itemsOf, lineOfIn, textOf } from "./RecipePlace.ts"
import type { RecipeFault, RecipePlace } from "./RecipePlace.ts"
import { readTemplate, type TemplateReading } from "./templateVariables.ts"

export type { RecipeFault } from "./RecipePlace.ts"

/** What the launcher passes by `--params`; Goose refuses what a recipe does not declare. */
export const parametersPassed = ["task_id", "agent_name"]

const inputTypes = new Set(["string", "number", "boolean", "date", "file", "select", "object", "array"])
const requirements = new Set(["required", "optional", "user_prompt"])

const headFaults = (top: RecipePlace): ReadonlyArray<RecipeFault> => [
  ...["title", "description"]
    .filter((key) => textOf(top, key) === null)
    .map((key) => fault(top, key, "is missing; Goose refuses a recipe without it")),
  ...(textOf(top, "version") === null ? [fault(top, "version", 'is missing; write "1.0.0"', "warning")] : []),
  ...(textOf(top, "prompt") === null
    ? [
        fault(
          top,
          "prompt",
          textOf(top, "instructions") === null
            ? "is missing; without it Goose has nothing to do"
            : "is missing; instructions alone do not start a run that nobody watches"
        )
      ]
    : [])
]

const parameterFaults = (place: RecipePlace): ReadonlyArray<RecipeFault> => {
  const key = textOf(place, "key")
  const type = textOf(place, "input_type")
  const requirement = textOf(place, "requirement")
  const hasDefault = fieldNode(place, "default") !== null
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

const declarationFaults = (
  top: RecipePlace,
  declared: ReadonlyMap<string, RecipePlace>,
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

const duplicateFaults = (places: ReadonlyArray<RecipePlace>): ReadonlyArray<RecipeFault> => {
  const seen = new Set<string>()
  return places.flatMap((place) => {
    const key = textOf(place, "key")
    if (key === null || !seen.has(key)) {
      if (key !== null) seen.add(key)
      return []
    }
    return [fault(place, "key", `is ${key}, which is declared twice`)]
  })
}

const contentFaults = (
  top: RecipePlace,
  template: TemplateReading,
  tinytask: string | null
): ReadonlyArray<RecipeFault> => {
  const { faults, places } = itemsOf(top, "parameters")
  const declared = new Map(
    places.flatMap((place) => {
      const key = textOf(place, "key")
      return key === null ? [] : [[key, place] as const]
    })
  )
  return [
    ...headFaults(top),
    ...faults,
    ...places.flatMap(parameterFaults),
    ...duplicateFaults(places),
    ...declarationFaults(top, declared, template),
    ...extensionFaults(top, tinytask)
  ]
}

interface SyntaxError {
  readonly line: number | null
  readonly message: string
}

/** A key that its mapping has already. The parser's own look compares each key with all before it. */
const repeatedKey = (document: Document.Parsed): Scalar | undefined => {
  const repeated: Array<Scalar> = []
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) repeated.push(key)
        seen.add(key.value)
      }
      return repeated.length === 0 ? undefined : visit.BREAK
    }
  })
  return repeated[0]
}

/** The first alone: what follows it is most often its echo. */
const syntaxError = (document: Document.Parsed, lines: LineCounter): SyntaxError | null => {
  const [first] = document.errors
  if (first !== undefined) return { line: lines.linePos(first.pos[0]).line, message: first.message }
  const key = repeatedKey(document)
  return key === undefined ? null : { line: lineOfIn(lines)(key), message: `${String(key.value)} stands there twice` }
}

/** A template with statements may make of it what can't be seen here. */
const syntaxFault = ({ line, message }: SyntaxError, hasStatements: boolean): RecipeFault => ({
  level: hasStatements ? "warning" : "error",
  line,
  field: null,
  says: `is not YAML: ${message}${hasStatements ? ", unless its template makes it so" : ""}`
})

/**
 * Everything that is wrong with the text of a recipe, YAML or JSON, in the order of what to mend first. `tinytask` is the
 * address that its agent should report to; null = any.
 */
export const inspectRecipe = (text: string, tinytask: string | null = null): ReadonlyArray<RecipeFault> => {
  const lines = new LineCounter()
  const template = readTemplate(text)
  const document = parseDocument(template.plain, {
    lineCounter: lines,
    logLevel: "silent",
    prettyErrors: false,
    uniqueKeys: false
  })
  const wrong = syntaxError(document, lines)
  if (wrong !== null) return [syntaxFault(wrong, text.includes("{%"))]
  const map: unknown = document.contents
  if (!isMap(map)) {
    return [{ level: "error", line: null, field: null, says: "holds no mapping of title, description, prompt …" }]
  }
  return contentFaults(
    { map, aliases: aliasTargetsOf(document), path: "", lineOf: lineOfIn(lines) },
    template,
    tinytask
  )
}
