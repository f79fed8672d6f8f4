/**
 * macOS: processes as ps(1) shows them. Starts are whole seconds there, so a pid reused within its second is told apart
 * by its token only; sessions are not shown, so a session id is 0. Nothing here is certain beyond what ps prints.
 */
import { spawnSync } from "node:child_process"
import * as os from "node:os"
import type { ProcessRow, ProcessSight } from "@tinyscheduler/core/domain/ProcessIdentity"
import type { Ourselves } from "@tinyscheduler/core/ports/ProcessTable"
import { endpointVariable, type Machine, taskVariable } from "./Machine.ts"
import { pidExists } from "./pidExists.ts"

const timeoutMs = 5000
const outputMaxBytes = 64 * 1024 * 1024
const columns = "pid=,ppid=,pgid=,sess=,lstart=,stat="

/** In UTC, so that a start has the same number in summer and in winter. */
const run = (command: string, args: ReadonlyArray<string>): string => {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    env: { PATH: "/bin:/usr/bin:/sbin:/usr/sbin", LC_ALL: "C", TZ: "UTC" },
    maxBuffer: outputMaxBytes,
    stdio: ["ignore", "pipe", "ignore"],
    timeout: timeoutMs
  })
  if (result.error !== undefined) throw new Error(`${command} failed: ${result.error.message}`)
  return result.stdout
}

const linePattern =
  /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S{3}\s+\S{3}\s+\d{1,2}\s+\d{2}:\d{2}:\d{2}\s+\d{4})\s+(\S+)(?:\s+(.*))?$/

/** Parses the lines of `ps -o pid=,ppid=,pgid=,sess=,lstart=,stat=`, with or without the command and environment. */
export const parsePs = (output: string): ReadonlyArray<ProcessRow> =>
  output.split("\n").flatMap((line) => {
    const match = linePattern.exec(line)
    if (match === null) return []
    const [, pid, parent, group, session, started, state, rest] = match
    const pidStart = Date.parse(`${started} UTC`) / 1000
    if (!Number.isSafeInteger(pidStart)) return []
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        session: /^\d+$/.test(session ?? "") ? Number(session) : 0,
        pidStart,
        state: state?.[0] ?? "?",
        cgroup: null,
        token: /(?:^|\s)TINYSCHEDULER_LEASE=([0-9a-f-]{36})(?=\s|$)/.exec(rest ?? "")?.[1] ?? null
      }
    ]
  })

const rowsOf = (pids: ReadonlyArray<number>): ReadonlyMap<number, ProcessRow> => {
  const asked = pids.filter((pid) => Number.isSafeInteger(pid) && pid >= 1)
  if (asked.length === 0) return new Map()
  return new Map(parsePs(run("ps", ["-o", columns, "-p", asked.join(",")])).map((row) => [row.pid, row] as const))
}

const look = (pids: ReadonlyArray<number>): ReadonlyMap<number, ProcessSight> => {
  const rows = rowsOf(pids)
  return new Map(
    pids.map((pid): readonly [number, ProcessSight] => {
      const row = rows.get(pid)
      if (row === undefined) return [pid, { _tag: pidExists(pid) ? "Unreadable" : "Absent" }]
      return [pid, { _tag: "Seen", pidStart: row.pidStart, state: row.state, otherThreadLives: false }]
    })
  )
}

const identify = (): Ourselves => {
  const bootId = run("sysctl", ["-n", "kern.bootsessionuuid"]).trim()
  if (bootId === "") throw new Error("sysctl kern.bootsessionuuid shows nothing")
  const pidStart = rowsOf([process.pid]).get(process.pid)?.pidStart
  if (pidStart === undefined) throw new Error("ps does not show this process")
  return { here: { host: `${os.hostname()}/`, bootId, pidNs: 0 }, pid: process.pid, pidStart }
}

const startedAtMs = (pid: number): number | null => {
  const row = rowsOf([pid]).get(pid)
  return row === undefined ? null : row.pidStart * 1000
}

/** -E appends each process's environment to its command, as far as the system shows it to us. */
const scan = (): ReadonlyArray<ProcessRow> => {
  const rows = parsePs(run("ps", ["-axEww", "-o", `${columns},command=`]))
  if (rows.length === 0) throw new Error("ps shows no process")
  return rows
}

/** Where ps shows an environment, its variables stand behind the command and its words, a blank between each two. */
export const variableOf = (command: string, name: string): string | null =>
  command
    .split(/\s/)
    .findLast((word) => word.startsWith(`${name}=`))
    ?.slice(name.length + 1) ?? null

const statedTask: Machine["statedTask"] = (pid) => {
  const command = run("ps", ["-Eww", "-o", "command=", "-p", `${pid}`])
  const taskId = variableOf(command, taskVariable)
  const endpoint = variableOf(command, endpointVariable)
  return taskId === null || endpoint === null ? null : { taskId, endpoint }
}

const describe: Machine["describe"] = (pid) => {
  const [, user, state, name] =
    /^\s*(\d+)\s+(\S)\S*\s+(.*)$/m.exec(run("ps", ["-o", "uid=,stat=,ucomm=", "-p", `${pid}`])) ?? []
  return name === undefined ? null : { name: name.trim(), state: state ?? "?", user: Number(user) }
}

export const ps: Machine = { identify, look, startedAtMs, scan, statedTask, describe }
