/**
 * What must never be, looked for after every step: from the truth about processes, which no file and no scheduler knows,
 * and from what stands in files against what was ever written there.
 */
import type { TaskId } from "../src/domain/identifiers.ts"
import { legacyToken } from "../src/domain/legacyToken.ts"
import type { SimulatedProcess, World } from "../src/simulation/api.ts"
import type { People } from "./passHistoryPeople.ts"

export interface Witness {
  readonly world: World
  readonly people: People
  /** The tokens of all starts that were written down, and of the old leases that stood here. */
  readonly starts: ReadonlySet<string>
  /** Whether a scheduler was overtaken within a pass: between its look and its call another may have told the same. */
  readonly wasOvertaken: boolean
}

/** What bears no token is found by the group and session that its lease names; where that was lost, by nothing. */
const isTraceable = ({ attempt, token }: SimulatedProcess, { people }: Witness): boolean =>
  token !== null || (attempt !== null && !people.lostLeases.has(attempt.taskId))

/** What works at tasks: agents and what they started, by their task. Supervisors alone do no work. */
const workersOf = (witness: Witness): ReadonlyArray<SimulatedProcess> =>
  [...witness.world.machine.processes.values()].filter(
    (process) =>
      process.attempt !== null &&
      process.attempt.role !== "supervisor" &&
      process.state !== "Z" &&
      isTraceable(process, witness)
  )

/** At most one live attempt per task. */
const livesTwice = (witness: Witness): ReadonlyArray<string> => {
  const epochs = new Map<TaskId, number>()
  const wrongs = witness.world.supervision.overlaps
    .filter(({ other }) => isTraceable(other, witness))
    .map(
      ({ epoch, other, taskId }) => `epoch ${epoch} of task ${taskId} began while ${other.pid} of another epoch lived`
    )
  for (const { attempt } of workersOf(witness)) {
    if (attempt === null) continue
    const known = epochs.get(attempt.taskId) ?? attempt.epoch
    epochs.set(attempt.taskId, known)
    if (known !== attempt.epoch) wrongs.push(`epochs ${known} and ${attempt.epoch} of task ${attempt.taskId} both live`)
  }
  return wrongs
}

/** Nothing is launched before it stands in a lease: who dies in between would have started what nobody knows of. */
const launchedUnannounced = ({ wasOvertaken, world }: Witness): ReadonlyArray<string> =>
  wasOvertaken
    ? []
    : world.supervision.unannounced.map(
        ({ epoch, taskId }) => `epoch ${epoch} of task ${taskId} was launched and no lease of it stood`
      )

/** No process is signalled that is no attempt's. */
const strangersSignalled = ({ world }: Witness): ReadonlyArray<string> =>
  world.machine.signals
    .filter(({ attempt }) => attempt === null)
    .map(({ pid, signal }) => `${signal} to ${pid}, which is no attempt's`)

/** No task is told twice of one ending. */
const toldTwice = ({ wasOvertaken, world }: Witness): ReadonlyArray<string> =>
  wasOvertaken
    ? []
    : [...world.tinytask.tasks].flatMap(([id, { comments }]) => {
        const marks = comments.map((comment) => comment.slice(0, 60))
        return new Set(marks).size < marks.length ? [`task ${id} was told of one ending twice`] : []
      })

/** No slot is free whose holder lives: something on disk says that its attempt may be under way. */
const freedAlive = (witness: Witness): ReadonlyArray<string> => {
  const { files } = witness.world
  return workersOf(witness).flatMap(({ attempt, pid }) => {
    if (attempt === null) return []
    const { epoch, role, taskId } = attempt
    const attempts = files.attempts.get(taskId)
    const isHeld =
      files.leases.has(taskId) ||
      files.claims.get(taskId, epoch) !== undefined ||
      (attempts?.last?.epoch === epoch && attempts.outcomes.every((recorded) => recorded.epoch !== epoch))
    return isHeld ? [] : [`${role} ${pid} of task ${taskId} lives, and its slot is free`]
  })
}

/** Starts = endings + what is under way, token by token. */
const unaccounted = ({ starts, world: { files } }: Witness): ReadonlyArray<string> => {
  const known = new Set<string>(files.history.map(({ token }) => token))
  for (const id of files.taskIds()) {
    const token = files.leaseToken(id)
    if (token !== null) known.add(token)
    for (const [, claim] of files.claims.of(id)) if (claim !== null) known.add(claim.token)
    const stored = files.leases.get(id)
    if (stored?._tag === "Legacy") known.add(legacyToken(stored.lease))
  }
  for (const { last, outcomes } of files.attempts.values()) {
    if (last !== null && outcomes.every(({ epoch }) => epoch !== last.epoch)) known.add(last.token)
  }
  return [...starts].filter((token) => !known.has(token)).map((token) => `start ${token} has neither ended nor goes on`)
}

/** An ending is judged once: what the history says of an attempt is what was recorded of it. */
const judgedTwice = ({ world: { files } }: Witness): ReadonlyArray<string> => {
  const told = new Map<string, string>(files.history.map(({ outcome, token }) => [token, outcome]))
  return [...files.attempts.values()].flatMap(({ outcomes, taskId }) =>
    outcomes
      .filter(({ outcome, token }) => (told.get(token) ?? outcome) !== outcome)
      .map(({ epoch, outcome, token }) => `epoch ${epoch} of task ${taskId} is ${outcome}, told as ${told.get(token)}`)
  )
}

const predicates: ReadonlyArray<readonly [name: string, check: (witness: Witness) => ReadonlyArray<string>]> = [
  ["at most one live attempt per task", livesTwice],
  ["lease before launch", launchedUnannounced],
  ["no foreign process is signalled", strangersSignalled],
  ["told once", toldTwice],
  ["no slot is freed while its holder lives", freedAlive],
  ["starts = endings + running", unaccounted],
  ["judged once", judgedTwice]
]

export const wrongsNow = (witness: Witness): ReadonlyArray<string> =>
  predicates.flatMap(([name, check]) => check(witness).map((wrong) => `[${name}] ${wrong}`))
