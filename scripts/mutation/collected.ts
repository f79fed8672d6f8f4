/** What the tests of the core import in place of vitest while mutants are tried: tests are collected, and run many times. */
import { expect } from "vitest"

export interface CollectedTest {
  readonly name: string
  readonly body: () => unknown
}

/** Emptied before the tests are imported anew. */
export const collectedTests: Array<CollectedTest> = []

let path: ReadonlyArray<string> = []

export const describe = (name: string, body: () => void): void => {
  const outer = path
  path = [...outer, name]
  body()
  path = outer
}

export const collect = (name: string, body: () => unknown): void => {
  collectedTests.push({ name: [...path, name].join(" > "), body })
}

/** A row that is an array gives its entries as arguments, as vitest does it. */
const each =
  (rows: ReadonlyArray<unknown>) =>
  (name: string, body: (...row: ReadonlyArray<unknown>) => unknown): void => {
    for (const [index, row] of rows.entries()) {
      collect(`${name} ${index}`, () => (Array.isArray(row) ? body(...row) : body(row)))
    }
  }

export const it = Object.assign(collect, { each })

export { expect }
