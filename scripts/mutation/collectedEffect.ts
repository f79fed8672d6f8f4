/** The same in place of @effect/vitest: an effect runs with the clock of tests, and without a word. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { assert } from "vitest"
import { collect, describe, it as plain } from "./collected.ts"

const environment = Layer.mergeAll(TestClock.layer(), Logger.layer([]))

const effect = (name: string, body: () => Effect.Effect<unknown, unknown, Scope.Scope>): void => {
  collect(name, () => Effect.runPromise(Effect.scoped(body()).pipe(Effect.provide(environment))))
}

export const it = Object.assign(collect, { each: plain.each, effect })
export const afterAll = (): void => undefined

export { assert, describe }
