/**
 * Who a process is, and whether it lives. A pid alone is never an identity: it is reused. Liveness has three values;
 * what can't be proven is unknown, and unknown frees nothing.
 */
import * as Schema from "effect/Schema"
import { attemptOfCgroup, type Marks, ownerOf } from "./attemptCgroup.ts"

/** The machine, its boot and the pid namespace in which pids mean something. */
export const HostIdentity = Schema.Struct({
  /** Name and machine id: "calypso/4f2c…". */
  host: Schema.String,
  bootId: Schema.String,
  /** Inode of the pid namespace. */
  pidNs: Schema.Int
})
export type HostIdentity = typeof HostIdentity.Type

/** A process for good: host, boot, pid namespace, pid and start. Never a bare pid, which is given out again. */
export const ProcessIdentity = Schema.Struct({
  ...HostIdentity.fields,
  pid: Schema.Int,
  /** Start in clock ticks since boot: field 22 of /proc/PID/stat. */
  pidStart: Schema.Int
})
export type ProcessIdentity = typeof ProcessIdentity.Type

/** Whether a process lives. `unknown` frees nothing: death is proven, never assumed. */
export const Liveness = Schema.Literals(["alive", "dead", "unknown"])
export type Liveness = typeof Liveness.Type

/** What looking at a pid on this machine showed. */
export type ProcessSight =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Unreadable" }
  | {
      readonly _tag: "Seen"
      readonly pidStart: number
      /** The state letter of /proc/PID/stat. */
      readonly state: string
      /** Whether /proc/PID/task holds a live thread beside a leader that is a zombie. */
      readonly otherThreadLives: boolean
    }

/** Whether an identity names a place whose pids we can look at. */
export const reach = (identity: HostIdentity, here: HostIdentity): "here" | "earlier-boot" | "elsewhere" => {
  if (identity.host === "" || identity.host !== here.host) return "elsewhere"
  if (identity.bootId !== here.bootId) return "earlier-boot"
  return identity.pidNs === here.pidNs ? "here" : "elsewhere"
}

/**
 * The order of these lines is the rule (protocol, section 5): other or missing host is unknown; another boot is dead;
 * another pid namespace is unknown; then what /proc says.
 */
export const judgeLiveness = (identity: ProcessIdentity, here: HostIdentity, sight: ProcessSight): Liveness => {
  switch (reach(identity, here)) {
    case "elsewhere":
      return "unknown"
    case "earlier-boot":
      return "dead"
    case "here":
      return judgeSight(identity.pidStart, sight)
  }
}

const judgeSight = (pidStart: number, sight: ProcessSight): Liveness => {
  switch (sight._tag) {
    case "Absent":
      return "dead"
    case "Unreadable":
      return "unknown"
    case "Seen": {
      if (sight.pidStart !== pidStart) return "dead"
      if (sight.state === "X" || sight.state === "x") return "dead"
      if (sight.state === "Z") return sight.otherThreadLives ? "alive" : "dead"
      return "alive"
    }
  }
}

/** One row of a scan over all processes that we can see. */
export interface ProcessRow extends Marks {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly pidStart: number
  readonly state: string
}

/** What of one attempt to look for in a scan. */
export interface AttemptTraces {
  readonly token: string
  readonly supervisor: { readonly pid: number; readonly pidStart: number } | null
  readonly agent: { readonly pid: number; readonly pidStart: number; readonly group: number } | null
  /** Processes of the attempt that an earlier scan listed: after a signal they may have lost their parent. */
  readonly known: ReadonlyArray<{ readonly pid: number; readonly pidStart: number }>
}

/** Whether a state letter is that of a process which runs no more. */
export const isDeadState = (state: string): boolean => state === "Z" || state === "X" || state === "x"

const isLive = (row: ProcessRow): boolean => !isDeadState(row.state)

/**
 * The living processes of an attempt: its agent's group and session, descendants of its supervisor and agent, whatever
 * carries its token or is in its cgroup, and what was known before; never its supervisor, never one of `spared`, never
 * one that belongs to another attempt (a scheduler that an agent started has attempts of its own). Sorted by pid.
 *
 * Of a group or session whose leader is gone nobody can say whose it is: its number may have been given to another since.
 * Such members hold the slot, and are no targets.
 */
export const processesOfAttempt = (
  rows: ReadonlyArray<ProcessRow>,
  traces: AttemptTraces,
  spared: ReadonlySet<number>
): ReadonlyArray<ProcessRow> => livingMembers(rows, traces, spared, "perhaps")

/** Those of them that are certainly the attempt's, and may be signalled. */
export const targetsOfAttempt = (
  rows: ReadonlyArray<ProcessRow>,
  traces: AttemptTraces,
  spared: ReadonlySet<number>
): ReadonlyArray<ProcessRow> => livingMembers(rows, traces, spared, "certainly")

const livingMembers = (
  rows: ReadonlyArray<ProcessRow>,
  traces: AttemptTraces,
  spared: ReadonlySet<number>,
  wanted: "perhaps" | "certainly"
): ReadonlyArray<ProcessRow> => {
  const byPid = new Map(rows.map((row) => [row.pid, row] as const))
  const isSame = (identity: { readonly pid: number; readonly pidStart: number }): boolean =>
    byPid.get(identity.pid)?.pidStart === identity.pidStart
  const members = new Set<number>()
  const { agent, supervisor } = traces
  if (agent !== null) {
    const leader = byPid.get(agent.pid)
    const groupIsOurs = leader === undefined ? wanted === "perhaps" : leader.pidStart === agent.pidStart
    for (const row of rows) {
      if (groupIsOurs && row.pidStart >= agent.pidStart && (row.group === agent.group || row.session === agent.group)) {
        members.add(row.pid)
      }
    }
    if (isSame(agent)) members.add(agent.pid)
  }
  for (const row of rows) if (ownerOf(row) === traces.token) members.add(row.pid)
  for (const identity of traces.known) if (isSame(identity)) members.add(identity.pid)
  if (supervisor !== null && isSame(supervisor)) members.add(supervisor.pid)
  const isAnothers = (row: ProcessRow): boolean => {
    const owner = ownerOf(row)
    return owner !== null && owner !== traces.token
  }
  addDescendants(rows, members, isAnothers)
  if (supervisor !== null && isSame(supervisor)) members.delete(supervisor.pid)
  return rows
    .filter((row) => members.has(row.pid) && isLive(row) && row.pid > 1 && !spared.has(row.pid) && !isAnothers(row))
    .sort((left, right) => left.pid - right.pid)
}

const addDescendants = (
  rows: ReadonlyArray<ProcessRow>,
  members: Set<number>,
  isAnothers: (row: ProcessRow) => boolean
): void => {
  const childrenOf = new Map<number, Array<number>>()
  for (const row of rows) {
    if (isAnothers(row)) continue
    const children = childrenOf.get(row.parent)
    if (children === undefined) childrenOf.set(row.parent, [row.pid])
    else children.push(row.pid)
  }
  const open = [...members].filter((pid) => pid > 1)
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of childrenOf.get(pid) ?? []) {
      if (members.has(child)) continue
      members.add(child)
      open.push(child)
    }
  }
}

/**
 * The cgroups of an attempt that may be killed as a whole: the one its lease names, and those in which a scan found
 * targets. One in which somebody else lives (the supervisor while it starts the agent, a pass that the agent started) is
 * left to signals.
 */
export const cgroupsToKill = (
  rows: ReadonlyArray<ProcessRow>,
  targets: ReadonlyArray<{ readonly pid: number; readonly pidStart: number }>,
  { cgroup, token }: Marks & { readonly token: string }
): ReadonlyArray<string> => {
  const starts = new Map(targets.map(({ pid, pidStart }) => [pid, pidStart] as const))
  const isTarget = ({ pid, pidStart }: ProcessRow): boolean => starts.get(pid) === pidStart
  const living = rows.filter(isLive)
  const named = [cgroup, ...living.map((row) => row.cgroup)]
  const directories = new Set(
    named.flatMap((path) => (path !== null && attemptOfCgroup(path)?.token === token ? [path] : []))
  )
  return [...directories].filter((directory) =>
    living.every((row) => row.cgroup === null || !isWithin(row.cgroup, directory) || isTarget(row))
  )
}

const isWithin = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`)

/** Ourselves, and every process we descend from: never a target, whatever they carry. */
export const ancestorsOf = (rows: ReadonlyArray<ProcessRow>, self: number): ReadonlySet<number> => {
  const byPid = new Map(rows.map((row) => [row.pid, row] as const))
  const line = new Set<number>([self, 1])
  for (let row = byPid.get(self); row !== undefined && !line.has(row.parent) && row.parent > 0;) {
    line.add(row.parent)
    row = byPid.get(row.parent)
  }
  return line
}
