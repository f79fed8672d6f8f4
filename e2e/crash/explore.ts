/**
 * Visits the boundaries between the effects of a scenario's victim. Traced runs find the effects; each is then a crash
 * point: the victim dies when all before it is done and it is not. Where a run comes out otherwise, the one that was meant
 * is tried again.
 */
import type { Effect } from "./effects.ts"
import { type Beginning, type Played, play } from "./history.ts"
import type { Scenario } from "./scenarios.ts"
import type { Stage } from "./Stage.ts"
import type { Hold } from "./tracing.ts"

/** Between two effects of the victim. */
interface Boundary {
  readonly _tag: "Boundary"
  readonly name: string
  readonly effect: Effect
  readonly previous: Effect | undefined
}

/** The end of a child of the victim before it is the program that it was forked for. */
interface Child {
  readonly _tag: "Child"
  readonly name: string
  readonly program: string
}

type Point = Boundary | Child

export interface Found {
  readonly scenario: Scenario
  /** Every stage makes its own: attempts of two stages must not have one token, for either would end the other's. */
  readonly beginnings: Map<Stage, Beginning>
  readonly points: ReadonlyArray<Point>
  /** Of the runs without a crash. */
  readonly violations: ReadonlyArray<string>
}

export interface Visited {
  readonly points: number
  readonly histories: number
  readonly violations: ReadonlyArray<string>
  /** Not reached, however often it was tried. */
  readonly missed: ReadonlyArray<string>
}

interface Order {
  readonly point: Point
  readonly tries: number
}

const triesMax = 16
/** Enough to be seen there, on a machine that is not much too busy; twice as long after a few misses. */
const standingMs = 80
/** By how much the count of a call differs from run to run; by a round of the pass more after a few misses. */
const countSpread = 3
const callsOfRound = 32
/** Of so many runs the shortest is taken: what it does, the others do too. */
const runsToFind = 3

/** Makes what the scenario begins with. */
const begin = async (stage: Stage, scenario: Scenario): Promise<Beginning> => {
  stage.begin(scenario.agents, scenario.flags ?? [])
  await scenario.prepare(stage)
  return { scenario, kept: stage.keep(`${scenario.name}, ${scenario.victim}`) }
}

/** Finds the points by runs without a crash. */
export const find = async (stage: Stage, scenario: Scenario): Promise<Found> => {
  const beginning = await begin(stage, scenario)
  let shortest = await play(stage, beginning, null)
  const violations = new Set(shortest.violations)
  for (let run = 1; run < runsToFind; run += 1) {
    const played = await play(stage, beginning, null)
    for (const violation of played.violations) violations.add(violation)
    if (played.effects.length < shortest.effects.length) shortest = played
  }
  const { effects, programs } = shortest
  const boundaries = effects.map((effect, index): Point => {
    return { _tag: "Boundary", name: `before ${effect.name}`, effect, previous: effects[index - 1] }
  })
  const children = programs.map((program): Point => ({ _tag: "Child", name: `of the child for ${program}`, program }))
  return {
    scenario,
    beginnings: new Map([[stage, beginning]]),
    points: [...boundaries, ...children],
    violations: [...violations].map((violation) => `without a crash: ${violation}`)
  }
}

/**
 * Where to make it stand: before the effect; or, since files are opened in numbers that follow the number of processes on
 * the machine, after what was done last: nothing lies between the two.
 */
const holdAt = ({ point, tries }: Order): Hold => {
  // Each call that it stands still at before makes it later, and what it then does may be another thing: nearer each time.
  const round = tries % (countSpread + 2)
  const back = Math.max(0, countSpread - round)
  const isWide = round > countSpread
  const forMs = tries > countSpread ? 2 * standingMs : standingMs
  if (point._tag === "Child") return { side: "before", call: "execve", from: 1, to: 1, forMs, program: point.program }
  const { effect, previous } = point
  const isOpening = effect.call === "openat" && previous !== undefined && previous.call !== "openat"
  const { call, count, name } = isOpening ? previous : effect
  const from = Math.max(1, count - back)
  const to = count + countSpread + (isWide ? callsOfRound : 0)
  return { side: isOpening ? "after" : "before", call, from, to, forMs, effect: name }
}

/** Whether it died where it was meant to: what it stood at was its last effect, and done or not as the side says. */
const diedAt = (hold: Hold, { effects, wasKilled }: Played): boolean => {
  const last = effects.at(-1)
  if ("program" in hold || !wasKilled) return wasKilled
  return last?.name === hold.effect && last.isDone === (hold.side === "after")
}

const shuffled = <A>(all: ReadonlyArray<A>, random: () => number): ReadonlyArray<A> =>
  all
    .map((one) => ({ one, at: random() }))
    .sort((left, right) => left.at - right.at)
    .map(({ one }) => one)

export interface VisitOptions {
  /** Draws the order; what is not reached in time is left to another run. */
  readonly random: () => number
  /** On the clock of `performance.now`. */
  readonly untilMs: number
}

/** Every point once, in as many lanes as there are stages, for as long as there is time. */
export const visit = async (
  stages: ReadonlyArray<Stage>,
  found: Found,
  { random, untilMs }: VisitOptions
): Promise<Visited> => {
  const { beginnings, points, scenario } = found
  const violations: Array<string> = []
  const missed: Array<string> = []
  const orders = shuffled(points, random).map((point): [string, Order] => [point.name, { point, tries: 0 }])
  const left = new Map(orders)
  let histories = 0

  const next = (): Order | undefined => {
    const [entry] = performance.now() < untilMs ? left : []
    if (entry !== undefined) left.delete(entry[0])
    return entry?.[1]
  }
  const work = async (stage: Stage): Promise<void> => {
    const beginning = beginnings.get(stage) ?? (await begin(stage, scenario))
    beginnings.set(stage, beginning)
    for (let order = next(); order !== undefined; order = next()) {
      const { point, tries } = order
      const hold = holdAt(order)
      const played = await play(stage, beginning, hold)
      histories += 1
      const where = played.wasKilled ? point.name : "nowhere"
      violations.push(...played.violations.map((violation) => `a crash ${where}: ${violation}`))
      if (diedAt(hold, played)) continue
      if (tries + 1 >= triesMax) missed.push(point.name)
      else left.set(point.name, { point, tries: tries + 1 })
    }
  }
  await Promise.all(stages.map(work))
  return { points: points.length - left.size - missed.length, histories, violations, missed }
}
