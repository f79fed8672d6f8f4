/** The form of the scheduler's specification: a sentence, a small world, and what is decided about it. */
import { expect, it } from "vitest"
import type { WorldBuilder } from "../builders.ts"

export interface Example {
  /** The rule, as a sentence. */
  readonly name: string
  readonly world: WorldBuilder
  readonly lines: ReadonlyArray<string>
}

export const specify = (examples: ReadonlyArray<Example>): void => {
  it.each(examples)("$name", ({ lines, world }) => {
    expect(world.lines()).toEqual(lines)
  })
}
