/** A value as the text of its file: JSON for people, indented by two, ended by a newline. */
import * as Schema from "effect/Schema"

/** The encoder of one kind of file, compiled once. A value that has no encoding is a fault of ours and throws. */
export const encodeFile = <A, I>(schema: Schema.Codec<A, I>): ((value: A) => string) => {
  const encode = Schema.encodeSync(schema)
  return (value) => `${JSON.stringify(encode(value), null, 2)}\n`
}
