/** Removes the private TMPDIRs of attempts that ended without their supervisor: killed, or cut off by a reboot. */
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Result from "effect/Result"
import { parseClaimFileName } from "@tinyscheduler/core/protocol/layout"
import type { Configuration } from "./settings/Configuration.ts"

/**
 * A supervisor makes the directory after its claim, and the claim is the last that is deleted of an attempt. Answers what
 * could not be removed: an agent may leave what its owner can't delete, and that must keep nobody from starting.
 */
export const sweepTemporary = ({ paths, temporaryDir }: Configuration): ReadonlyArray<string> => {
  if (!existsSync(temporaryDir)) return []
  return readdirSync(temporaryDir).filter((name) => {
    if (parseClaimFileName(name) === null || existsSync(join(paths.claims, name))) return false
    return Result.isFailure(Result.try(() => rmSync(join(temporaryDir, name), { recursive: true, force: true })))
  })
}
