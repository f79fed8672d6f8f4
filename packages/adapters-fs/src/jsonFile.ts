/** From a safely read file to a decoded value, or to one line that says what is wrong. */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { messageOf, oneLine } from "./oneLine.ts"
import { readSafely, type FileStamp, type ReadRules } from "./safeFile.ts"

export type JsonFile =
  | { readonly _tag: "Missing" }
  | {
      readonly _tag: "Problem"
      readonly problem: string
      readonly head: string | null
      readonly stamp: FileStamp | null
    }
  | { readonly _tag: "Json"; readonly value: unknown; readonly stamp: FileStamp }

/** What a file's content decoded to. */
export type Decoded<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly problem: string }

/** Parses text as JSON; the problem is one line. */
export const parseJson = (text: string): Decoded<unknown> => {
  if (text.trim() === "") return { ok: false, problem: "is empty" }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return { ok: false, problem: `is not JSON: ${messageOf(error)}` }
  }
}

/** Reads a file under these rules and parses it; never throws. */
export const readJson = (path: string, rules: ReadRules): JsonFile => {
  const file = readSafely(path, rules)
  switch (file._tag) {
    case "Missing":
      return file
    case "Refused":
      return { _tag: "Problem", problem: file.problem, head: file.head, stamp: file.stamp }
    case "Read": {
      const parsed = parseJson(file.text)
      return parsed.ok
        ? { _tag: "Json", value: parsed.value, stamp: file.stamp }
        : { _tag: "Problem", problem: parsed.problem, head: file.text, stamp: file.stamp }
    }
  }
}

/** Whether a JSON value is an object; its own keys only are ever looked at. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** An own field of a JSON object; what it would inherit is no field. */
export const fieldOf = (record: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(record, key) ? record[key] : undefined

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const sayIssue = (issue: SchemaIssue.Issue): string => {
  const first = formatIssue(issue).issues[0]
  const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
  const message = first?.message ?? "has an unexpected form"
  return oneLine(path === "" ? message : `${path}: ${message}`)
}

/** A schema as a function that answers in one line what is wrong; compiled once. */
export const makeDecoder = <A, I>(schema: Schema.Codec<A, I>): ((value: unknown) => Decoded<A>) => {
  const decode = SchemaParser.decodeUnknownResult(schema)
  return (value) => {
    const result = decode(value)
    return Result.isSuccess(result)
      ? { ok: true, value: result.success }
      : { ok: false, problem: sayIssue(result.failure) }
  }
}
