/** The .env file: variables that stand below the process's own environment. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseDotEnv } from "./dotEnvText.ts"
import { oneLine } from "./oneLine.ts"
import { readSafely } from "./safeFile.ts"

/** The largest .env file. */
export const dotEnvMaxBytes = 1024 * 1024

/** More than these are summed up. */
const noticesMax = 20

/** There is no such file: an error only for whoever named it. */
export class DotEnvMissing extends Schema.TaggedError<DotEnvMissing>()("DotEnvMissing", { path: Schema.String }) {
  override get message() {
    return `there is no ${oneLine(this.path)}`
  }
}

/** The file is there and can't be used; every fault is one line that begins with the file's path. */
export class DotEnvInvalid extends Schema.TaggedError<DotEnvInvalid>()("DotEnvInvalid", {
  path: Schema.String,
  faults: Schema.Array(Schema.String)
}) {
  override get message() {
    return this.faults.join("; ")
  }
}

export interface DotEnv {
  /** By name. */
  readonly variables: ReadonlyMap<string, string>
  /** What its writer should know: lines that are no assignment, variables that are set twice. */
  readonly notices: ReadonlyArray<string>
}

/** Reads a .env file. It may be a symbolic link: deployments keep one file for many releases. */
export const readDotEnv = Effect.fn("readDotEnv")(function* (path: string) {
  const file = yield* Effect.sync(() =>
    readSafely(path, { maxBytes: dotEnvMaxBytes, trust: "config", followLinks: true })
  )
  if (file._tag === "Missing") return yield* new DotEnvMissing({ path })
  const label = oneLine(path)
  if (file._tag === "Refused") return yield* new DotEnvInvalid({ path, faults: [`${label} ${file.problem}`] })
  const { faults, notices, variables } = parseDotEnv(file.text)
  if (faults.length > 0) {
    return yield* new DotEnvInvalid({ path, faults: faults.map((fault) => `${label}: ${fault}`) })
  }
  // A file that is no .env at all would have one for every line.
  const more = notices.length - noticesMax
  const told = more > 0 ? [...notices.slice(0, noticesMax), `${more} more lines like these`] : notices
  const read: DotEnv = { variables, notices: told.map((notice) => `${label}: ${notice}`) }
  return read
})
