/**
 * How one exchange with the server can fail, in the only terms that a caller treats differently: may it be repeated, and
 * did the server answer. It never leaves this package: callers see the port's two errors.
 */
import * as Schema from "effect/Schema"

/**
 * - unsent: no connection came about, so nothing happened: any call may be repeated
 * - broken: the connection or a proxy failed after sending: only a call that is safe to repeat may be repeated
 * - busy: the server said that its database is locked, and wrote nothing: any call may be repeated
 * - unusable: somebody answered, but not as a Tinytask does: repeating can't help
 * - refused: Tinytask answered and refused this call: repeating can't help
 */
export const FailureKind = Schema.Literals(["unsent", "broken", "busy", "unusable", "refused"])
export type FailureKind = typeof FailureKind.Type

export class CallFailure extends Schema.TaggedError<CallFailure>()("CallFailure", {
  kind: FailureKind,
  reason: Schema.String
}) {
  override get message() {
    return `${this.kind}: ${this.reason}`
  }
}

/** Whether the same call may be sent again after this failure. */
export const mayRepeat = (failure: CallFailure, repeatable: boolean): boolean => {
  switch (failure.kind) {
    case "unsent":
    case "busy":
      return true
    case "broken":
      return repeatable
    case "unusable":
    case "refused":
      return false
    default:
      return failure.kind satisfies never
  }
}

/** Foreign text without our token. */
export const withoutToken = (text: string, token: string | null): string =>
  token === null || token === "" ? text : text.replaceAll(token, "[token]")

/** Foreign text made fit for one line of a message: no control characters, bounded, and without the token. */
export const quoted = (text: string, token: string | null): string => {
  const open = withoutToken(text, token)
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is taken out
  const line = open.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim()
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
