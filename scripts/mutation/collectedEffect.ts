/** The same in place of @effect/vitest: an effect runs with the clock of tests, and without a word. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { assert } from "vitest"
import { collect, describe, it as plain } from "./collected.ts"

const environment = Layer.mergeAll(TestClock.layer(), Logger.layer([]))

type Body = Effect.Effect<unknown, unknown, Scope.Scope>

const run = (body: Body): Promise<unknown> => Effect.runPromise(Effect.scoped(body).pipe(Effect.provide(environment)))

const one = (name: string, body: () => Body): void => {
  collect(name, () => run(body()))
}

const each =
  (rows: ReadonlyArray<unknown>) =>
  (name: string, body: (row: unknown) => Body): void => {
    for (const [index, row] of rows.entries()) collect(`${name} ${index}`, () => run(body(row)))
  }

const effect = Object.assign(one, { each })

export const it = Object.assign(collect, { each: plain.each, effect })
export const afterAll = (): void => undefined

export { assert, describe }
