/**
 * The supervisor's own small program. It is part of the bundle as text and is placed in the state directory under a name
 * that bears its content's hash: a supervisor then loads 17 kB and not the whole command line, and an upgrade under a
 * running daemon changes nothing for what was started before.
 */
import { createHash } from "node:crypto"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { makeDurableFiles } from "@tinyscheduler/adapters-fs/DurableFiles"
import type { Writer } from "@tinyscheduler/adapters-fs/DurableFiles"
import { readSafely } from "@tinyscheduler/adapters-fs/safeFile"
import type { StatePaths } from "@tinyscheduler/adapters-fs/StatePaths"

/** Put into the bundle at build time; absent when the sources run. */
declare const SUPERVISOR_PROGRAM: string | undefined

const bundled = typeof SUPERVISOR_PROGRAM === "string" ? SUPERVISOR_PROGRAM : null

const prefix = "supervisor-"

const placedName = (program: string): string =>
  `${prefix}${createHash("sha256").update(program).digest("hex").slice(0, 16)}.cjs`

/** The argument vector that starts a supervisor. */
export const supervisorCommand = (stateDirectory: string): ReadonlyArray<string> =>
  bundled === null
    ? [
        process.execPath,
        "--conditions=source",
        fileURLToPath(import.meta.resolve("@tinyscheduler/adapters-process/supervisor/entry"))
      ]
    : [process.execPath, join(stateDirectory, placedName(bundled))]

const placedPattern = new RegExp(`^${prefix}[0-9a-f]{16}\\.cjs$`)

/** Its name alone proves nothing: what a supervisor will run has to be ours, and the program itself. */
const isPlaced = (path: string, program: string): boolean => {
  const file = readSafely(path, { maxBytes: Buffer.byteLength(program), trust: "state" })
  return file._tag === "Read" && file.text === program
}

/** Makes sure that the program stands where `supervisorCommand` says. Throws what the file system throws. */
export const placeSupervisor = ({ base, state: stateDirectory }: StatePaths, writer: Writer): void => {
  if (bundled === null) return
  const name = placedName(bundled)
  const path = join(stateDirectory, name)
  if (!isPlaced(path, bundled)) makeDurableFiles(writer, base).replace(path, bundled)
  for (const other of readdirSync(stateDirectory, { withFileTypes: true })) {
    // Programs of other versions: whoever runs one has loaded it whole.
    if (other.isFile() && placedPattern.test(other.name) && other.name !== name) {
      rmSync(join(stateDirectory, other.name), { force: true })
    }
  }
}
