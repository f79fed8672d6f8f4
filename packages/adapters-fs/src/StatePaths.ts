/**
 * Where everything of the state stands, as absolute paths. Claims, stops, attempts, history, requests, records, `agents.json`,
 * `term` and what was set aside live in the state directory, which is the parent of the running directory: moving the
 * running directory moves them with it. Only paths are computed here; nothing is looked at or created. Directories come
 * into being, mode 0700, when the lock's holder first writes into them; a missing one reads as empty.
 */
import { dirname, isAbsolute, join, resolve } from "node:path"

export interface StatePathOptions {
  readonly basePath: string
  /** These three are taken relative to the base path, unless absolute. */
  readonly runningDir: string
  readonly lockFile: string
  readonly logDir: string
}

export interface StatePaths {
  readonly base: string
  /** `state`: parent of the running directory. */
  readonly state: string
  readonly running: string
  readonly claims: string
  readonly stops: string
  readonly attempts: string
  readonly agents: string
  readonly history: string
  readonly requests: string
  /** What came of requests. */
  readonly answers: string
  /** What rounds that decided something were made of. */
  readonly records: string
  /** What was renamed out of the way and is kept for people. */
  readonly aside: string
  readonly term: string
  readonly lock: string
  readonly logs: string
}

/** The paths of the defaults in the documentation: `state/running`, `state/tinyscheduler.lock`, `state/logs`. */
export const stateDefaults = {
  runningDir: "state/running",
  lockFile: "state/tinyscheduler.lock",
  logDir: "state/logs"
} as const

/** Resolves the configured places against the base path, and derives the others from the running directory. */
export const resolveStatePaths = (options: StatePathOptions): StatePaths => {
  const base = resolve(options.basePath)
  const under = (path: string): string => (isAbsolute(path) ? resolve(path) : resolve(base, path))
  const running = under(options.runningDir)
  const state = dirname(running)
  return {
    base,
    state,
    running,
    claims: join(state, "claims"),
    stops: join(state, "stops"),
    attempts: join(state, "attempts"),
    agents: join(state, "agents.json"),
    history: join(state, "history"),
    requests: join(state, "requests"),
    answers: join(state, "requests", "answers"),
    records: join(state, "records"),
    aside: join(state, "aside"),
    term: join(state, "term"),
    lock: under(options.lockFile),
    logs: under(options.logDir)
  }
}
