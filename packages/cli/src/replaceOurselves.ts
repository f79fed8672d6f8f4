/**
 * A scheduler that was started from an agent's shell carries the attempt's token in its environment, and would be
 * counted among that attempt's processes. Deleting the variable leaves it in /proc/self/environ, so the process is
 * replaced by itself with a clean environment, before any file is opened.
 */
import { agentVariables, prefix } from "./settings/settingTable.ts"

export const replaceOurselves = (): void => {
  const marks = new Set(agentVariables.map((name) => prefix + name))
  const clean = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      marks.has(name) || value === undefined ? [] : [[name, value]]
    )
  )
  try {
    if (process.execve === undefined) throw new Error("this Node has no execve")
    // Node tells on stderr that execve is experimental; there is nobody left to be told.
    process.removeAllListeners("warning")
    process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], clean)
  } catch (error) {
    process.stderr.write(
      `This shell belongs to a running agent (TINYSCHEDULER_LEASE is set) and can't be left behind (${error instanceof Error ? error.message : String(error)}); start the scheduler from another shell.\n`
    )
    process.exit(2)
  }
}
