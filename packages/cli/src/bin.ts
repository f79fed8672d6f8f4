/**
 * The entry: decides what has to be loaded before anything is. A scheduler started from an agent's shell first rids
 * itself of the attempt's marks.
 */
import { existsSync, realpathSync } from "node:fs"
import { enableCompileCache } from "node:module"
import { dirname, join } from "node:path"

const nodeNeeded = [22, 19] as const

const nodeIsTooOld = (): boolean => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  return major < nodeNeeded[0] || (major === nodeNeeded[0] && minor < nodeNeeded[1])
}

/** The commands that hold the lock and start agents. */
const startsAgents = (argv: ReadonlyArray<string>): boolean => argv.some((word) => word === "run" || word === "up")

/** Somebody who stops reading (`status | head`, a closed terminal) is no fault of ours, and ends no daemon. */
const outliveReaders = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
}

/**
 * Requests to a daemon that is not there yet: the pass that it begins with does what they ask. Unheeded, SIGHUP would end
 * it, and at SIGUSR1 Node opens the port of its debugger.
 */
const outliveEarlyRequests = (argv: ReadonlyArray<string>): void => {
  if (!startsAgents(argv)) return
  process.on("SIGUSR1", () => {})
  if (!argv.includes("--once")) process.on("SIGHUP", () => {})
}

/**
 * The build leaves the program compiled for the Node that built it. For another Node nothing is looked for: what is not
 * there would be made, and a command that only looks makes nothing.
 */
const useCompiled = (): void => {
  const directory = join(
    dirname(realpathSync(process.argv[1] ?? ".")),
    "compiled",
    `${process.version}-${process.arch}`
  )
  if (existsSync(directory)) enableCompileCache({ directory, portable: true })
}

const run = async (argv: ReadonlyArray<string>): Promise<void> => {
  outliveReaders()
  outliveEarlyRequests(argv)
  if (nodeIsTooOld()) {
    process.stderr.write(
      `TinyScheduler needs Node ${nodeNeeded.join(".")} or newer, this is ${process.versions.node}; run it with a newer one.\n`
    )
    process.exitCode = 2
    return
  }
  useCompiled()
  const { main, replaceOurselves } = await import("./program.ts")
  if (process.env["TINYSCHEDULER_LEASE"] !== undefined && startsAgents(argv)) replaceOurselves()
  process.exitCode = await main(argv)
}

void run(process.argv.slice(2))
