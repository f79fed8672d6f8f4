/** Settings that are supposed of history: each of every record in which it means something. */
import type { Situation } from "@tinyscheduler/core/domain/Situation"
import type { Suppose } from "@tinyscheduler/core/replay/replay"
import { suppose } from "@tinyscheduler/core/whatIf/suppose"
import * as Result from "effect/Result"
import { parseSetting } from "../supposing/setting.ts"
import type { SettingPlace } from "../supposing/setting.ts"

const withFlag: SettingPlace = { flag: "--with", alsoKnown: [] }

export interface SupposedSettings {
  readonly suppose: Suppose
  /** Of those that meant nothing in any record, why; for whoever typed them. */
  readonly faults: () => ReadonlyArray<string>
}

/** An agent that is in some records only is supposed of in these. */
export const makeSupposed = (typed: ReadonlyArray<string>): SupposedSettings => {
  const faults = new Map<string, string>()
  const meant = new Set<string>()
  const parsed = (text: string, { desired }: Situation) => {
    const supposition = parseSetting(text, desired, withFlag)
    if (Result.isFailure(supposition)) {
      faults.set(text, supposition.failure)
      return []
    }
    meant.add(text)
    return [supposition.success]
  }
  return {
    suppose: (situation) =>
      suppose(
        situation,
        typed.flatMap((text) => parsed(text, situation))
      ),
    faults: () => typed.flatMap((text) => (meant.has(text) ? [] : (faults.get(text) ?? [])))
  }
}
