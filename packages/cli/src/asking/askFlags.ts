/** Flags and arguments that the asking commands share. */
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"

export const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))

export const task = Argument.Int("task").pipe(
  Argument.withSchema(TaskId),
  Argument.withDescription("The task's number in Tinytask")
)

export const agent = Argument.String("agent").pipe(
  Argument.withDescription("The agent's name; without it, all of them"),
  Argument.optional
)

export const waitFlags = (what: string) => ({
  wait: Flag.Boolean("wait").pipe(Flag.withDescription(`Wait until ${what}`), Flag.withDefault(false)),
  waitTimeout: Flag.Int("wait-timeout").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 604_800 }))),
    Flag.withDescription("How many seconds it may take (default 60)"),
    Flag.withDefault(60)
  )
})
