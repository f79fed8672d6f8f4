/**
 * What the checks look at: the configuration as far as it can be read. A broken control file is a finding among others
 * here, while every other command stops at it.
 */
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readAgentControl } from "@tinyscheduler/adapters-fs/AgentControl"
import type { AgentControl } from "@tinyscheduler/adapters-fs/AgentControl"
import { assemble, findControlFile } from "../settings/Configuration.ts"
import type { Configuration } from "../settings/Configuration.ts"
import type { LoadedSettings } from "../settings/loadSettings.ts"
import { basePathOf, placeFaults } from "../settings/places.ts"

export type ControlReading =
  /** `path` is where one would stand; `required`: a setting names it. */
  | { readonly _tag: "Absent"; readonly path: string; readonly required: boolean }
  | { readonly _tag: "Broken"; readonly path: string; readonly faults: ReadonlyArray<string> }
  | { readonly _tag: "Read"; readonly path: string; readonly control: AgentControl }

export interface Examined {
  /** Of a broken control file it has no agents. */
  readonly config: Configuration
  readonly control: ControlReading
  /** What is wrong with where things are to stand. */
  readonly placeFaults: ReadonlyArray<string>
}

const readControl = Effect.fnUntraced(function* (loaded: LoadedSettings, base: string) {
  const found = findControlFile(loaded.settings, base)
  const path = found.path ?? resolve(base, "agent-control.json")
  const read = yield* Effect.result(readAgentControl(path))
  if (Result.isFailure(read)) return { _tag: "Broken", path, faults: read.failure.faults } satisfies ControlReading
  return read.success === null
    ? ({ _tag: "Absent", path, required: found.required } satisfies ControlReading)
    : ({ _tag: "Read", path, control: read.success } satisfies ControlReading)
})

const controlOf = (reading: ControlReading): AgentControl | null => {
  switch (reading._tag) {
    case "Absent":
      return reading.required ? { entries: [], warnings: [] } : null
    case "Broken":
      return { entries: [], warnings: [] }
    case "Read":
      return reading.control
  }
}

export const examine = Effect.fn("examine")(function* (loaded: LoadedSettings, workingDirectory: string) {
  const base = basePathOf(loaded, workingDirectory)
  const control: ControlReading = yield* readControl(loaded, base)
  const config = assemble(loaded, base, {
    control: controlOf(control),
    path: control._tag === "Absent" ? null : control.path
  })
  return { config, control, placeFaults: placeFaults(loaded, workingDirectory) } satisfies Examined
})
