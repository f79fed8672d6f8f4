/** Removes the private TMPDIRs of attempts that ended without their supervisor: killed, or cut off by a reboot. */
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { parseClaimFileName } from "@tinyscheduler/core/protocol/layout"
import type { Configuration } from "./settings/Configuration.ts"

/** A supervisor makes the directory after its claim, and the claim is the last that is deleted of an attempt. */
export const sweepTemporary = ({ paths, temporaryDir }: Configuration): void => {
  if (!existsSync(temporaryDir)) return
  for (const name of readdirSync(temporaryDir)) {
    if (parseClaimFileName(name) === null || existsSync(join(paths.claims, name))) continue
    rmSync(join(temporaryDir, name), { recursive: true, force: true })
  }
}
