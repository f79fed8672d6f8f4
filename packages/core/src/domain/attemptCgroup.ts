/**
 * The cgroup of one attempt: a directory whose name says whose it is, so that any later pass knows the processes in it,
 * whatever they have done to their parent, session or environment. Plain values: the supervisor reads names too.
 */

/** What a cgroup's name tells of its attempt. */
export interface AttemptName {
  readonly taskId: number
  readonly epoch: number
  readonly token: string
}

export const cgroupName = ({ epoch, taskId, token }: AttemptName): string => `tinyscheduler-${taskId}.${epoch}-${token}`

const namePattern =
  /^tinyscheduler-([1-9][0-9]{0,15})\.([1-9][0-9]{0,15})-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

/** Whose a cgroup of this name is; null when it is no attempt's. */
export const parseCgroupName = (name: string): AttemptName | null => {
  const [, taskId, epoch, token] = namePattern.exec(name) ?? []
  return token === undefined ? null : { taskId: Number(taskId), epoch: Number(epoch), token }
}

/** Whose the cgroup at an absolute path is; null when it is no attempt's, or the path is not written out plainly. */
export const attemptOfCgroup = (path: string): AttemptName | null => {
  const [root, ...parts] = path.split("/")
  if (root !== "" || parts.some((part) => part === "" || part === "." || part === "..")) return null
  return parseCgroupName(parts.at(-1) ?? "")
}

/** The attempt's cgroup that holds a cgroup: itself or one above it, the innermost; null when there is none. */
export const attemptCgroupAbove = (path: string): string | null => {
  const parts = path.split("/")
  const index = parts.findLastIndex((part) => parseCgroupName(part) !== null)
  return index < 0 ? null : parts.slice(0, index + 1).join("/")
}

/** What shows whose a process is. */
export interface Marks {
  /** The value of TINYSCHEDULER_LEASE in its environment; null when absent or unreadable. */
  readonly token: string | null
  /** The directory of the attempt's cgroup that it is in; null when it is in none. */
  readonly cgroup: string | null
}

/**
 * The token of the attempt that a process belongs to. What it carries comes first: a scheduler that an agent started has
 * attempts of its own, which may stand in the agent's cgroup. A cleaned environment is what the cgroup is for.
 */
export const ownerOf = ({ cgroup, token }: Marks): string | null =>
  token ?? (cgroup === null ? null : (attemptOfCgroup(cgroup)?.token ?? null))
