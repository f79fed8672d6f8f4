/** What every request bears: who asked, when, and a number of its own. */
import { randomUUID } from "node:crypto"
import { userInfo } from "node:os"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { RequestId } from "@tinyscheduler/core/domain/Request"
import { timestampOf } from "@tinyscheduler/core/domain/time"

/** The name of whoever runs the command; in a container there may be none. */
const userName = (): string =>
  Result.getOrElse(
    Result.try(() => userInfo().username),
    () => `user ${process.geteuid?.() ?? "unknown"}`
  )

export const newRequest = Effect.map(Clock.currentTimeMillis, (nowMs) => ({
  version: 1 as const,
  uuid: RequestId.make(randomUUID()),
  at: timestampOf(nowMs),
  by: userName()
}))
