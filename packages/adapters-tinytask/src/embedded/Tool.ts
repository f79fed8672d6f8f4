/**
 * What a tool is: a name, a Schema that describes and decodes its arguments, and what it does. Refused arguments are
 * reported like the real server's, as a JSON list of issues, because clients match on it.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Outcome } from "./TaskView.ts"

/** What a tool answers: its text, and whether it is an error's. */
export interface ToolAnswer {
  readonly text: string
  readonly isError: boolean
}

export interface Tool {
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments, for `tools/list`. */
  readonly inputSchema: () => unknown
  readonly call: (args: Readonly<Record<string, unknown>>) => ToolAnswer
}

/** A struct of arguments, whose keys are known. */
type ArgsSchema = Schema.Decoder<unknown> & { readonly fields: Readonly<Record<string, unknown>> }

export interface ToolSpec<S extends ArgsSchema> {
  readonly name: string
  readonly description: string
  readonly args: S
  /** Comment and link tools overlook keys that they don't know, all others refuse them. */
  readonly unknownKeys: "refused" | "ignored"
  /** What stands before the reason of a refusal: `Error updating task: `, or nothing. */
  readonly errorPrefix: string
  readonly run: (args: S["Type"]) => Outcome<string>
}

/** The arguments that are numbers, in every tool that has them: language models like to quote those. */
const numberKeys = new Set([
  "id",
  "task_id",
  "parent_task_id",
  "blocked_by_task_id",
  "subtask_id",
  "new_parent_id",
  "comment_id",
  "to_task_id",
  "priority",
  "limit",
  "offset"
])

const unquoted = (key: string, value: unknown): unknown =>
  numberKeys.has(key) && typeof value === "string" && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : value

interface Issue {
  readonly code: "invalid_type" | "unrecognized_keys"
  readonly keys?: ReadonlyArray<string>
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

const listIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const issuesOf = (error: Schema.SchemaError): ReadonlyArray<Issue> =>
  listIssues(error.issue).issues.map(({ message, path }) => ({
    code: "invalid_type",
    path: (path ?? []).map((step) => {
      const key = typeof step === "object" ? step.key : step
      return typeof key === "number" ? key : String(key)
    }),
    message
  }))

const unknownKeys = (known: object, args: object): ReadonlyArray<Issue> => {
  const keys = Object.keys(args).filter((key) => !Object.hasOwn(known, key))
  if (keys.length === 0) return []
  const message = `Unrecognized key(s) in object: ${keys.map((key) => `'${key}'`).join(", ")}`
  return [{ code: "unrecognized_keys", keys, path: [], message }]
}

/** Indented by two, as the real server answers everything but deletes. */
export const pretty = (value: unknown): string => JSON.stringify(value, null, 2)

/** Clients insist on an object type, which the schema of a struct without fields does not name. */
const jsonSchemaOf = (args: ArgsSchema): unknown =>
  Object.keys(args.fields).length === 0 ? { type: "object", properties: {} } : Schema.toJsonSchemaDocument(args).schema

/** Makes a tool of its description. */
export const makeTool = <S extends ArgsSchema>(spec: ToolSpec<S>): Tool => {
  const decode = Schema.decodeUnknownResult(spec.args, { errors: "all" })
  const refused = (text: string): ToolAnswer => ({ text, isError: true })
  return {
    name: spec.name,
    description: spec.description,
    inputSchema: () => jsonSchemaOf(spec.args),
    call: (given) => {
      const args = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, unquoted(key, value)]))
      const decoded = decode(args)
      const issues = [
        ...(Result.isFailure(decoded) ? issuesOf(decoded.failure) : []),
        ...(spec.unknownKeys === "refused" ? unknownKeys(spec.args.fields, args) : [])
      ]
      if (Result.isFailure(decoded) || issues.length > 0) {
        return refused(`Error calling tool ${spec.name}: ${pretty(issues)}`)
      }
      return Result.match(spec.run(decoded.success), {
        onSuccess: (text) => ({ text, isError: false }),
        onFailure: (reason) => refused(`${spec.errorPrefix}${reason}`)
      })
    }
  }
}
