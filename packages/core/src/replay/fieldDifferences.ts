/** In which fields two values of one part differ: what a person is told, in the place of two long texts. */
import { isObject } from "../record/isObject.ts"

export interface FieldDifference {
  /** "reasons[0].used"; "" = the whole. */
  readonly path: string
  /** As JSON; null = there is none. */
  readonly before: string | null
  readonly after: string | null
}

const absent = Symbol("absent")

const textOf = (value: unknown): string | null => (value === absent ? null : JSON.stringify(value))

const below = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

function* differences(path: string, before: unknown, after: unknown): Generator<FieldDifference> {
  if (textOf(before) === textOf(after)) return
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const left = Object.hasOwn(before, key) ? before[key] : absent
      const right = Object.hasOwn(after, key) ? after[key] : absent
      yield* differences(below(path, key), left, right)
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    const others: ReadonlyArray<unknown> = after
    for (const [at, value] of before.entries()) yield* differences(`${path}[${at}]`, value, others[at])
  } else yield { path, before: textOf(before), after: textOf(after) }
}

const valueOf = (text: string | null): unknown => (text === null ? absent : JSON.parse(text))

/** Of two texts of JSON, null for what is not there; in the order of the fields. */
export const fieldDifferences = (before: string | null, after: string | null): ReadonlyArray<FieldDifference> => [
  ...differences("", valueOf(before), valueOf(after))
]
