/** What is wrong with what a person configured: one sentence per fault, exit code 2. */
import * as Schema from "effect/Schema"

export class ConfigurationError extends Schema.TaggedError<ConfigurationError>()("ConfigurationError", {
  faults: Schema.Array(Schema.String),
  /** The files that were looked for in vain or can't be used, where it is them. */
  files: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message() {
    return this.faults.join("\n")
  }
}
