/**
 * Visits the boundaries between the effects of a scenario's victim. One traced run finds the effects; each is then a crash
 * point: the victim dies when all before it is done and it is not. Where threads or the number of other processes make a
 * run come out otherwise, the victim dies at another boundary than was meant: that one is visited, and the one that was
 * meant is tried again.
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
  /** Of the run without a crash. */
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
  /** By how much the counts of this run's calls were off, when it was last tried. */
  readonly shift: number
}

const triesMax = 10
/** Enough to be seen there, on a machine that is not much too busy; twice as long after each miss. */
const standingMs = 80
const standingMaxMs = 1280

/** Makes what the scenario begins with. */
const begin = async (stage: Stage, scenario: Scenario): Promise<Beginning> => {
  stage.begin(scenario.agents, scenario.flags ?? [])
  await scenario.prepare(stage)
  return { scenario, kept: stage.keep(`${scenario.name}, ${scenario.victim}`) }
}

/** Finds the points by a run without a crash. */
export const find = async (stage: Stage, scenario: Scenario): Promise<Found> => {
  const beginning = await begin(stage, scenario)
  const { effects, programs, violations } = await play(stage, beginning, null)
  const boundaries = effects.map((effect, index): Point => {
    return { _tag: "Boundary", name: `before ${effect.name}`, effect, previous: effects[index - 1] }
  })
  const children = programs.map((program): Point => ({ _tag: "Child", name: `of the child for ${program}`, program }))
  return {
    scenario,
    beginnings: new Map([[stage, beginning]]),
    points: [...boundaries, ...children],
    violations: violations.map((violation) => `without a crash: ${violation}`)
  }
}

/**
 * Where to make it stand: before the effect; or, since files are opened in numbers that follow the number of processes on
 * the machine, after what was done last: nothing lies between the two.
 */
const holdAt = ({ point, shift, tries }: Order): Hold => {
  const forMs = Math.min(standingMs * 2 ** tries, standingMaxMs)
  if (point._tag === "Child") return { side: "before", call: "execve", count: 1, forMs, program: point.program }
  const { effect, previous } = point
  return effect.call === "openat" && previous !== undefined && previous.call !== "openat"
    ? { side: "after", call: previous.call, count: previous.count + shift, forMs }
    : { side: "before", call: effect.call, count: effect.count + shift, forMs }
}

const boundariesIn = (points: ReadonlyArray<Point>): ReadonlyArray<Boundary> =>
  points.flatMap((point) => (point._tag === "Boundary" ? [point] : []))

/** The first effect that the victim did not live to do; null when it did all. That a file was opened shows in its use. */
const firstUndone = (points: ReadonlyArray<Point>, { effects }: Played): Point | null => {
  const begun = new Set(effects.map(({ name }) => name))
  const done = new Set(effects.filter(({ isDone }) => isDone).map(({ name }) => name))
  const boundaries = boundariesIn(points)
  const found = boundaries.find(({ effect }, index) => {
    const next = boundaries[index + 1]
    const wasUsed = effect.call === "openat" && next !== undefined && begun.has(next.effect.name)
    return !done.has(effect.name) && !wasUsed
  })
  return found ?? null
}

/** How far the aimed call's count lies from where the traced run had it, as far as this run shows. */
const shiftSeen = (order: Order, points: ReadonlyArray<Point>, { effects }: Played): number => {
  const { call } = holdAt(order)
  const last = effects.findLast((effect) => effect.call === call)
  const planned = boundariesIn(points).find(({ effect }) => effect.name === last?.name)?.effect
  return last === undefined || planned === undefined ? order.shift : last.count - planned.count
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
  const orders = shuffled(points, random).map((point): [string, Order] => [point.name, { point, tries: 0, shift: 0 }])
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
      const { point } = order
      const played = await play(stage, beginning, holdAt(order))
      histories += 1
      const reached = !played.wasKilled ? null : point._tag === "Child" ? point : firstUndone(points, played)
      const where = reached === null ? "nowhere" : reached.name
      violations.push(...played.violations.map((violation) => `a crash ${where}: ${violation}`))
      if (reached?.name === point.name) continue
      if (reached !== null) left.delete(reached.name)
      if (order.tries + 1 >= triesMax) missed.push(point.name)
      else left.set(point.name, { ...order, tries: order.tries + 1, shift: shiftSeen(order, points, played) })
    }
  }
  await Promise.all(stages.map(work))
  return { points: points.length - left.size - missed.length, histories, violations, missed }
}
