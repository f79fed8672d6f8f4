/**
 * The processes of one test: everything that a test starts, or that one of those starts, carries the test's mark in its
 * environment from exec on. They are found by the mark, and ended by pid and start, never by a name.
 */
import { readdirSync, readFileSync } from "node:fs"
import { until } from "./until.ts"

export const markVariable = "E2E_MARK"

export interface Marked {
  readonly pid: number
  /** Field 22 of its stat: with the pid, its identity. */
  readonly start: string
  readonly command: string
  readonly environment: Readonly<Record<string, string>>
}

const readProc = (pid: number, name: string): string | null => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8")
  } catch {
    return null
  }
}

/** Null for a process that is gone, or dead and not yet waited for. */
export const startOf = (pid: number): string | null => {
  const stat = readProc(pid, "stat")
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")
  if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return null
  return fields[19] ?? null
}

export const isLiving = (pid: number): boolean => startOf(pid) !== null

export const environmentOf = (pid: number): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (readProc(pid, "environ") ?? "")
      .split("\0")
      .filter((pair) => pair.includes("="))
      .map((pair) => {
        const at = pair.indexOf("=")
        return [pair.slice(0, at), pair.slice(at + 1)]
      })
  )

/** All living processes that satisfy a look at their environment. */
export const processesWhere = (
  wanted: (environment: Readonly<Record<string, string>>, pid: number) => boolean
): ReadonlyArray<Marked> =>
  readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .flatMap((pid) => {
      const environment = environmentOf(pid)
      const start = startOf(pid)
      if (start === null || !wanted(environment, pid)) return []
      return [{ pid, start, environment, command: (readProc(pid, "cmdline") ?? "").replaceAll("\0", " ").trim() }]
    })

export const markedProcesses = (mark: string): ReadonlyArray<Marked> =>
  processesWhere((environment) => environment[markVariable] === mark)

/** Sends a signal to exactly this process; false when it is gone. */
export const signal = (target: Pick<Marked, "pid" | "start">, name: NodeJS.Signals): boolean => {
  if (startOf(target.pid) !== target.start) return false
  try {
    return process.kill(target.pid, name)
  } catch (error) {
    // It ended between the look and the signal.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false
    throw error
  }
}

/** Kills whatever carries the mark, and waits until nothing does. */
export const endMarked = async (mark: string): Promise<void> => {
  await until(`no process carries the mark ${mark}`, () => {
    const left = markedProcesses(mark)
    for (const target of left) signal(target, "SIGKILL")
    return left.length === 0
  })
}
