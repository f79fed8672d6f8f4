/**
 * A directory of the attempt's own files: prompt, log, temporary ones. Made where it is missing; one that is there must
 * be a directory and ours alone, or whoever put it there would read, swap or redirect what is written into it. Plain
 * Node: supervisor and launcher ask by the same lines.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { ownershipProblem } from "@tinyscheduler/core/protocol/ownership"

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : null)

/** Level by level: Node's recursive form looks again after any error, and tells of a disk that fails as of a missing path. */
const make = (directory: string): void => {
  try {
    fs.mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    const above = path.dirname(directory)
    if (codeOf(error) === "EEXIST") return
    if (codeOf(error) !== "ENOENT" || above === directory) throw error
    make(above)
    fs.mkdirSync(directory, { mode: 0o700 })
  }
}

/** Throws where it can't be made or is not ours alone. */
export const ensurePrivateDirectory = (directory: string): void => {
  make(directory)
  const stat = fs.lstatSync(directory)
  if (!stat.isDirectory()) throw new Error(`${directory} is not a directory`)
  const problem = ownershipProblem(stat, process.geteuid?.() ?? 0)
  if (problem !== null) throw new Error(`${directory} ${problem}`)
}
