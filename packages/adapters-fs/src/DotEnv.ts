/** The .env file: variables that stand below the process's own environment. Node's parser, our way of opening files. */
import { parseEnv } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readSafely } from "./safeFile.ts"

/** The largest .env file. */
export const dotEnvMaxBytes = 1024 * 1024

/** There is no such file: an error only for whoever named it. */
export class DotEnvMissing extends Schema.TaggedError<DotEnvMissing>()("DotEnvMissing", { path: Schema.String }) {
  override get message() {
    return `there is no ${this.path}`
  }
}

/** The file is there and can't be used. */
export class DotEnvUnreadable extends Schema.TaggedError<DotEnvUnreadable>()("DotEnvUnreadable", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.path} ${this.problem}`
  }
}

/** The variables of a .env file, by name. It may be a symbolic link: deployments keep one file for many releases. */
export const readDotEnv = Effect.fn("readDotEnv")(function* (path: string) {
  const file = yield* Effect.sync(() =>
    readSafely(path, { maxBytes: dotEnvMaxBytes, trust: "config", followLinks: true })
  )
  if (file._tag === "Missing") return yield* new DotEnvMissing({ path })
  if (file._tag === "Refused") return yield* new DotEnvUnreadable({ path, problem: file.problem })
  const variables: ReadonlyMap<string, string> = new Map(
    Object.entries(parseEnv(file.text)).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const]
    )
  )
  return variables
})
