/** The shapes of what a request comes to. */
import type { CarriedOut, RequestEffect } from "./carryOut.ts"

const nothingToWrite: RequestEffect = { _tag: "None" }

export const done = (says: string, effect: RequestEffect = nothingToWrite): CarriedOut => ({
  _tag: "Answered",
  result: "done",
  says,
  effect
})

/** It is so already. */
export const nothing = (says: string): CarriedOut => ({
  _tag: "Answered",
  result: "nothing",
  says,
  effect: nothingToWrite
})

/** It can't be, and nothing was changed. */
export const refused = (says: string): CarriedOut => ({
  _tag: "Answered",
  result: "refused",
  says,
  effect: nothingToWrite
})
