/**
 * A call of one Tinytask tool within one deadline: repeated while repeating is safe and can help, then one of the port's
 * two errors. An attempt that never answers uses the deadline up, so a server that hangs is asked once and not five times.
 */
import { type TaskQueueError, TaskQueueRejected, TaskQueueUnreachable } from "@tinyscheduler/core/ports/TaskQueue"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { CallFailure, mayRepeat, quoted } from "./CallFailure.ts"
import { type McpTarget, parseJson, requestMcp } from "./McpRequest.ts"

/** How often and how long a call is tried. */
export interface CallLimits {
  /** From the call to its answer or its error, all repetitions and waits included. */
  readonly timeoutMs: number
  /** Repetitions after the first try. */
  readonly retries: number
  /** The wait before the first repetition; each further one is twice as long, all with jitter. */
  readonly retryBaseMs: number
}

export interface ToolCall {
  readonly tool: string
  readonly args: Readonly<Record<string, unknown>>
  /** Whether doing it twice does no more than doing it once. */
  readonly repeatable: boolean
}

const ToolResult = Schema.Struct({
  content: Schema.Array(Schema.Struct({ type: Schema.String, text: Schema.optionalKey(Schema.String) })),
  isError: Schema.optionalKey(Schema.Boolean)
})
const decodeToolResult = Schema.decodeUnknownEffect(ToolResult)

/** Two processes on one database file make the server answer so at once; nothing was written then. */
const busyText = "database is locked"

const seconds = (ms: number): string => `${ms / 1000} s`

/** Repeats what may be repeated, until the limits; the error is then the last one, or that time ran out. */
export const withinLimits =
  (limits: CallLimits, repeatable: boolean) =>
  <A, R>(attempt: Effect.Effect<A, CallFailure, R>): Effect.Effect<A, CallFailure, R> =>
    Effect.gen(function* () {
      const last = yield* Ref.make<CallFailure | null>(null)
      const timedOut = Effect.flatMap(Ref.get(last), (failure) => {
        const reason = `no answer within ${seconds(limits.timeoutMs)}`
        return new CallFailure({
          kind: "broken",
          reason: failure === null ? reason : `${reason}, and before that ${failure.reason}`
        })
      })
      return yield* attempt.pipe(
        Effect.tapError((failure) => Ref.set(last, failure)),
        Effect.retry({
          schedule: Schedule.jittered(Schedule.exponential(limits.retryBaseMs)),
          times: limits.retries,
          while: (failure) => mayRepeat(failure, repeatable)
        }),
        Effect.timeoutOrElse({ duration: limits.timeoutMs, orElse: () => timedOut })
      )
    })

/** The port's error for a failure of the named call. */
export const asPortError =
  (target: McpTarget, call: string) =>
  (failure: CallFailure): TaskQueueError =>
    failure.kind === "refused" || failure.kind === "busy"
      ? new TaskQueueRejected({ call, reason: failure.reason })
      : new TaskQueueUnreachable({ endpoint: target.endpoint.shown, reason: failure.reason })

const attemptTool = Effect.fnUntraced(function* (target: McpTarget, { args, tool }: ToolCall) {
  const answer = yield* requestMcp(target, "tools/call", { name: tool, arguments: args })
  const notATool = () => new CallFailure({ kind: "unusable", reason: `its answer to ${tool} is not a tool's result` })
  const result = yield* Effect.mapError(decodeToolResult(answer), notATool)
  const text = result.content[0]?.text
  if (text === undefined) return yield* notATool()
  if (result.isError !== true) return text
  return yield* new CallFailure({
    kind: text.includes(busyText) ? "busy" : "refused",
    reason: quoted(text, target.token)
  })
})

/** Calls a tool and decodes the JSON that it answers with. */
export const callTool = Effect.fnUntraced(function* <A>(
  target: McpTarget,
  limits: CallLimits,
  call: ToolCall & { readonly decode: (answer: unknown) => Result.Result<A, string> }
) {
  return yield* attemptTool(target, call).pipe(
    Effect.flatMap((text) => {
      const answer = parseJson(text)
      const decoded = answer === undefined ? Result.fail(`it is not JSON: ${text}`) : call.decode(answer)
      return Result.match(decoded, {
        onSuccess: (value) => Effect.succeed(value),
        onFailure: (reason) =>
          new CallFailure({
            kind: "unusable",
            reason: quoted(`its answer to ${call.tool} is unreadable, ${reason}`, target.token)
          })
      })
    }),
    withinLimits(limits, call.repeatable),
    Effect.mapError(asPortError(target, call.tool))
  )
})
