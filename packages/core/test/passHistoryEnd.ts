/**
 * The end of a history: all faults are over, people mend what is theirs to mend, and from then on passes alone must bring
 * everything to its end, within a bounded number of them.
 */
import type { TaskId } from "../src/domain/identifiers.ts"
import type { World } from "../src/simulation/api.ts"
import { isUnderWay } from "./passHistoryMovers.ts"
import type { People } from "./passHistoryPeople.ts"

/** Once all faults are over, everything must be complete within so many passes, one a minute. */
export const healingPassesMax = 120

/** The machine is well again, and what only people can mend they do. */
export const heal = (world: World): void => {
  const { files, machine, supervision, tinytask } = world
  tinytask.down = null
  files.unwritable = null
  files.termProblem = null
  files.attemptsProblems.clear()
  files.agents = files.agents.map((record) => ({ ...record, pausedBy: null }))
  files.paused = null
  files.requests.clear()
  // What nobody can see from here ends there, and is given up by the clock.
  for (const process of machine.processes.values()) if (!machine.isHere(process)) machine.kill(process)
  // Where the lease is lost too, a supervisor that does nothing is only held and told of: somebody kills it.
  for (const { hung, lease, process, script } of supervision.live) {
    const isIdle = hung !== null || script.claimAfterMs === null
    if (isIdle && files.leaseToken(lease.taskId) !== lease.token) machine.kill(process)
  }
  for (const [id, { task }] of tinytask.tasks) {
    if (task.archived) tinytask.remove(id)
    else if (task.assignee === "a person" && task.status !== "complete") {
      tinytask.change(id, { assignee: null, status: "idle" })
    }
  }
  // What `repair` does: a lease of which nothing can be said is put aside.
  for (const [id, { _tag }] of files.leases) {
    if (_tag === "Unreadable" && files.claims.of(id).length === 0) files.leases.delete(id)
  }
}

/** People release what is parked and take back what they took; what else is left working was forgotten by us. */
export const release = (world: World, people: People): ReadonlyArray<string> => {
  const { files, tinytask } = world
  for (const [id, attempts] of files.attempts) {
    if (attempts.parked !== null) {
      files.attempts.set(id, { ...attempts, parked: null, notBefore: null, counts: { failures: 0, losses: 0 } })
    }
  }
  const forgotten: Array<TaskId> = []
  for (const [id, { task }] of tinytask.tasks) {
    const isParent = [...tinytask.tasks.values()].some((other) => other.task.parent === id)
    if (isParent || task.status === "complete" || isUnderWay(world, id)) continue
    // A parent whose working subtask was deleted stays working.
    const isTheirs = people.taken.has(id) || people.raced.has(id) || people.parents.has(id)
    if (isTheirs) tinytask.change(id, { assignee: null, status: "idle" })
    else if (task.status === "working") forgotten.push(id)
  }
  return forgotten.map((id) => `[never lost] task ${id} was left working, and nobody works on it`)
}

export const isAtRest = (world: World): boolean =>
  [...world.tinytask.tasks.values()].every(({ task }) => task.status === "complete") &&
  world.machine.cgroups.size === 0 &&
  [...world.files.taskIds(), ...world.files.attempts.keys()].every((id) => !isUnderWay(world, id))

/** Each task was completed once, and each start has one ending. */
export const accounts = (world: World, people: People, starts: ReadonlySet<string>): ReadonlyArray<string> => {
  const wrongs: Array<string> = []
  for (const [id, { transitions }] of world.tinytask.tasks) {
    const completions = transitions.filter((status) => status === "complete").length
    if (!people.parents.has(id) && !people.raced.has(id) && completions !== 1)
      wrongs.push(`[completed once] task ${id} was completed ${completions} times`)
  }
  const ended = new Set<string>(world.files.history.map(({ token }) => token))
  const open = [...starts].filter((token) => !ended.has(token))
  if (open.length > 0) wrongs.push(`[starts = endings + running] ${open.length} starts have no ending: ${open.join()}`)
  if (ended.size > starts.size)
    wrongs.push(`[starts = endings + running] ${ended.size} endings of ${starts.size} starts`)
  return wrongs
}
