/**
 * Visits every boundary between two effects of a scenario's victim. One traced run finds the effects; each is then a crash
 * point: the victim dies when all before it is done and it is not. Where threads or the number of other processes make a
 * run come out otherwise, the victim dies at another boundary than was meant: that one is visited, and the one that was
 * meant is tried again.
 */
import type { Effect } from "./effects.ts"
import { type Played, play, prepare } from "./history.ts"
import type { Scenario } from "./scenarios.ts"
import type { Stage } from "./Stage.ts"
import type { Hold } from "./tracing.ts"

export interface Explored {
  readonly points: number
  readonly histories: number
  readonly violations: ReadonlyArray<string>
  /** Not reached, however often it was tried. */
  readonly missed: ReadonlyArray<string>
}

interface Point {
  readonly effect: Effect
  readonly previous: Effect | undefined
}

interface Order {
  readonly point: Point
  readonly tries: number
  /** By how much the counts of this run's calls were off, when it was last tried. */
  readonly shift: number
}

const pointsOf = (effects: ReadonlyArray<Effect>): ReadonlyArray<Point> =>
  effects.map((effect, index) => ({ effect, previous: effects[index - 1] }))

const triesMax = 10
/** Enough to be seen there, on a machine that is not much too busy; twice as long after each miss. */
const standingMs = 80
const standingMaxMs = 1280

/**
 * Where to make it stand: before the effect; or, since files are opened in numbers that follow the number of processes on
 * the machine, after what was done last: nothing lies between the two.
 */
const holdAt = ({ point: { effect, previous }, shift, tries }: Order): Hold => {
  const forMs = Math.min(standingMs * 2 ** tries, standingMaxMs)
  const isUnsteady = effect.call === "openat"
  return isUnsteady && previous !== undefined && previous.call !== "openat"
    ? { side: "after", call: previous.call, count: previous.count + shift, forMs }
    : { side: "before", call: effect.call, count: effect.count + shift, forMs }
}

/** The first effect that the victim did not live to do; null when it did all. */
const firstUndone = (points: ReadonlyArray<Point>, { effects }: Played): Point | null => {
  const done = new Set(effects.filter(({ isDone }) => isDone).map(({ name }) => name))
  return points.find(({ effect }) => !done.has(effect.name)) ?? null
}

/** How far the aimed call's count lies from where the traced run had it, as far as this run shows. */
const shiftSeen = (order: Order, points: ReadonlyArray<Point>, { effects }: Played): number => {
  const { call } = holdAt(order)
  const last = effects.findLast((effect) => effect.call === call)
  const planned = points.find(({ effect }) => effect.name === last?.name)?.effect
  return last === undefined || planned === undefined ? order.shift : last.count - planned.count
}

/** Every point once, in as many lanes as there are stages. */
export const explore = async (stages: ReadonlyArray<Stage>, scenario: Scenario): Promise<Explored> => {
  await Promise.all(stages.map((stage) => prepare(stage, scenario)))
  const [first] = stages
  if (first === undefined) throw new Error("there is no stage")
  const whole = await play(first, scenario, null)
  const points = pointsOf(whole.effects)
  const violations = whole.violations.map((violation) => `without a crash: ${violation}`)
  const missed: Array<string> = []
  const left = new Map<string, Order>(points.map((point) => [point.effect.name, { point, tries: 0, shift: 0 }]))
  let histories = 1

  const next = (): Order | undefined => {
    const [entry] = left
    if (entry !== undefined) left.delete(entry[0])
    return entry?.[1]
  }
  const visit = async (stage: Stage): Promise<void> => {
    for (let order = next(); order !== undefined; order = next()) {
      const { name } = order.point.effect
      const played = await play(stage, scenario, holdAt(order))
      histories += 1
      const reached = played.wasKilled ? firstUndone(points, played) : null
      const where = reached === null ? "nowhere" : `before ${reached.effect.name}`
      violations.push(...played.violations.map((violation) => `crash ${where}: ${violation}`))
      if (reached?.effect.name === name) continue
      if (reached !== null) left.delete(reached.effect.name)
      if (order.tries + 1 >= triesMax) missed.push(name)
      else left.set(name, { ...order, tries: order.tries + 1, shift: shiftSeen(order, points, played) })
    }
  }
  await Promise.all(stages.map(visit))
  return { points: points.length, histories, violations, missed }
}
