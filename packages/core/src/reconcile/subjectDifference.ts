/** How what a saved plan rests on differs from what is the case now: one sentence each, for whoever wants to apply it. */
import type { PlanSubject, SubjectAction } from "../domain/PlanSubject.ts"
import { timestampOf } from "../domain/time.ts"

/** How it is said that a thing is in one of the two only. */
interface ComingAndGoing {
  readonly came: string
  readonly went: string
}

const isThere: ComingAndGoing = { came: "was not there and is", went: "was there and is not" }

/** Tasks that nothing is done about stand in neither: one that is missing may well be there. */
const isTouched: ComingAndGoing = { came: "was not part of the plan and is", went: "was part of the plan and is not" }

/** What was and what is, by name; a thing that says the same in both has not changed. */
const changes = <A>(
  before: ReadonlyArray<A>,
  after: ReadonlyArray<A>,
  nameOf: (item: A) => string,
  say: (item: A) => string,
  { came, went } = isThere
): ReadonlyArray<string> => {
  const saysByName = (items: ReadonlyArray<A>) => new Map(items.map((item) => [nameOf(item), say(item)] as const))
  const was = saysByName(before)
  const is = saysByName(after)
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    const old = was.get(name)
    const now = is.get(name)
    if (old === now) return []
    if (old === undefined) return [`${name} ${came}: ${now ?? ""}`]
    return now === undefined ? [`${name} ${went}: ${old}`] : [`${name} was ${old} and is ${now}`]
  })
}

const changed = (name: string, before: string, after: string): ReadonlyArray<string> =>
  before === after ? [] : [`${name} was ${before} and is ${after}`]

const orNone = (value: string | number | null, none: string): string => (value === null ? none : String(value))

const timeText = (millis: number | null): string => (millis === null ? "never" : timestampOf(millis))

const verbs: { readonly [K in SubjectAction["kind"]]: string } = {
  Note: "note",
  Stop: "stop",
  Rebuild: "rebuild the lease of",
  End: "end",
  EndLegacy: "end the old lease of",
  Sweep: "sweep what is left of",
  Start: "start"
}

const sayAction = ({ agent, detail, epoch, kind, taskId }: SubjectAction): string =>
  `${verbs[kind]} task ${taskId}${agent === null ? "" : ` on ${agent}`} (epoch ${epoch}${detail === null ? "" : `, ${detail}`})`

const counted = (actions: ReadonlyArray<SubjectAction>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const action of actions) counts.set(sayAction(action), (counts.get(sayAction(action)) ?? 0) + 1)
  return counts
}

const actionChanges = (
  before: ReadonlyArray<SubjectAction>,
  after: ReadonlyArray<SubjectAction>
): ReadonlyArray<string> => {
  const was = counted(before)
  const is = counted(after)
  const gone = [...was.keys()].filter((text) => !is.has(text))
  const added = [...is.keys()].filter((text) => !was.has(text))
  const told = [...gone.map((text) => `planned no more: ${text}`), ...added.map((text) => `planned anew: ${text}`)]
  // Nothing came or went: then only their order can have changed, which is the order in which they are carried out.
  return told.length > 0 || JSON.stringify(before) === JSON.stringify(after)
    ? told
    : ["what is planned would be done in another order"]
}

/** Empty if and only if the two are the same. What brought a change about comes before what is planned because of it. */
export const subjectDifference = (before: PlanSubject, after: PlanSubject): ReadonlyArray<string> => [
  ...changed(
    "Tinytask",
    before.tinytask === "Read" ? "readable" : "out of reach",
    after.tinytask === "Read" ? "readable" : "out of reach"
  ),
  ...changes(
    before.leases,
    after.leases,
    ({ taskId }) => `the lease of task ${taskId}`,
    ({ epoch, state, token }) => `${state.toLowerCase()} (epoch ${epoch}${token === null ? "" : `, ${token}`})`
  ),
  ...changes(
    before.tasks,
    after.tasks,
    ({ taskId }) => `task ${taskId}`,
    ({ assignee, blockedBy, createdAt, queue, status }) =>
      `${status}, created ${createdAt}, assigned to ${orNone(assignee, "nobody")}, in ${queue === null ? "no queue" : `queue ${queue}`}, blocked by ${orNone(blockedBy, "nothing")}`,
    isTouched
  ),
  ...changes(
    before.agents,
    after.agents,
    ({ name }) => `agent ${name}`,
    ({ enabled, queues, recipe, slots }) =>
      `${enabled ? "enabled" : "disabled"}, ${slots} slots, queues ${orNone(queues.join(" ") || null, "none")}, recipe ${orNone(recipe, "none")}`
  ),
  ...changes(
    before.pauses,
    after.pauses,
    ({ agent }) => (agent === null ? "the pause of all agents" : `the pause of agent ${agent}`),
    ({ by, setAsideUntil, until }) =>
      [
        ...(by === null ? [] : [`by ${by} until ${orNone(until, "it is resumed")}`]),
        ...(setAsideUntil === null ? [] : [`set aside until ${setAsideUntil}`])
      ].join(", ")
  ),
  ...changes(
    before.queueLimits,
    after.queueLimits,
    ({ queue }) => `the limit of queue ${queue}`,
    ({ limit }) => String(limit)
  ),
  ...changed("the limit of all", orNone(before.maxConcurrent, "unlimited"), orNone(after.maxConcurrent, "unlimited")),
  ...changed("whether anything starts", before.starts, after.starts),
  ...changed("the order", before.order, after.order),
  ...changed("what parents do", before.parents, after.parents),
  ...changed("blocking", before.disableBlocking ? "disabled" : "on", after.disableBlocking ? "disabled" : "on"),
  ...changes(
    before.stops,
    after.stops,
    (token) => `the request to stop attempt ${token}`,
    () => "pending"
  ),
  ...changed("the time at which a verdict changes by itself", timeText(before.nextWallMs), timeText(after.nextWallMs)),
  ...actionChanges(before.actions, after.actions)
]
