/** Removes the private TMPDIRs of attempts that ended without their supervisor: killed, or cut off by a reboot. */
import { existsSync, lstatSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Result from "effect/Result"
import { parseClaimFileName } from "@tinyscheduler/core/protocol/layout"
import type { Configuration } from "./settings/Configuration.ts"

/**
 * A supervisor makes the directory after its claim, and the claim is the last that is deleted of an attempt. Answers what
 * could not be removed: an agent may leave what its owner can't delete, and that must keep nobody from starting.
 */
export const sweepTemporary = ({
  paths,
  temporaryDir
}: Pick<Configuration, "paths" | "temporaryDir">): ReadonlyArray<string> => {
  if (!existsSync(temporaryDir)) return []
  return readdirSync(temporaryDir)
    .filter((name) => parseClaimFileName(name) !== null)
    .filter((name) =>
      Result.isFailure(
        Result.try(() => {
          // A claim that can't be looked at may stand, and its agent run: what throws here keeps the directory.
          if (lstatSync(join(paths.claims, name), { throwIfNoEntry: false }) !== undefined) return
          rmSync(join(temporaryDir, name), { recursive: true, force: true })
        })
      )
    )
}
