/**
 * A directory of the attempt's own files: prompt, log, temporary ones. Made where it is missing; one that is there must
 * be a directory and ours alone, or whoever put it there would read, swap or redirect what is written into it. Plain
 * Node: supervisor and launcher ask by the same lines.
 */
import * as fs from "node:fs"
import { ownershipProblem } from "@tinyscheduler/core/protocol/ownership"

/** Throws where it can't be made or is not ours alone. */
export const ensurePrivateDirectory = (directory: string): void => {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
  const stat = fs.lstatSync(directory)
  if (!stat.isDirectory()) throw new Error(`${directory} is not a directory`)
  const problem = ownershipProblem(stat, process.geteuid?.() ?? 0)
  if (problem !== null) throw new Error(`${directory} ${problem}`)
}
