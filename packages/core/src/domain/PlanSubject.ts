/**
 * What a saved plan rests on, as plain data: it is hashed, kept in the plan file, and compared with what is the case when
 * the plan is to be applied. Not in it: beats, times of files, the time itself, tasks that nothing is done about.
 */
import * as Schema from "effect/Schema"

const Text = Schema.NullOr(Schema.String)

/** A lease; where none can be read, what stands in its place. */
const SubjectLease = Schema.Struct({
  taskId: Schema.Int,
  epoch: Schema.Int,
  token: Text,
  state: Schema.Literals(["starting", "running", "finished", "Missing", "Unreadable", "Legacy"])
})

const SubjectTask = Schema.Struct({
  taskId: Schema.Int,
  /** Which task the number means: on a server whose numbers began anew it is another. */
  createdAt: Schema.String,
  status: Schema.String,
  assignee: Text,
  queue: Text,
  blockedBy: Schema.NullOr(Schema.Int)
})

const SubjectAgent = Schema.Struct({
  name: Schema.String,
  slots: Schema.Int,
  enabled: Schema.Boolean,
  queues: Schema.Array(Schema.String),
  recipe: Text
})

/** A pause or a set-aside that holds; agent null = all agents. */
const SubjectPause = Schema.Struct({ agent: Text, by: Text, until: Text, setAsideUntil: Text })

/** What of an action says what is done to whom. */
export const SubjectAction = Schema.Struct({
  kind: Schema.Literals(["Note", "Stop", "Rebuild", "End", "EndLegacy", "Sweep", "Start"]),
  taskId: Schema.Int,
  epoch: Schema.Int,
  agent: Text,
  /** The outcome of an ending, the rung of a stop, the recipe of a start. */
  detail: Text
})
export type SubjectAction = typeof SubjectAction.Type

/** What a plan rests on, as plain data: keep it with a plan, and have it compared when that is to be applied. */
export const PlanSubject = Schema.Struct({
  leases: Schema.Array(SubjectLease),
  tasks: Schema.Array(SubjectTask),
  agents: Schema.Array(SubjectAgent),
  pauses: Schema.Array(SubjectPause),
  queueLimits: Schema.Array(Schema.Struct({ queue: Schema.String, limit: Schema.Int })),
  maxConcurrent: Schema.NullOr(Schema.Int),
  /** Whether starts are allowed, and if not, why not. */
  starts: Schema.String,
  order: Schema.String,
  parents: Schema.String,
  disableBlocking: Schema.Boolean,
  /** Tokens of the attempts whose stop was asked for. */
  stops: Schema.Array(Schema.String),
  tinytask: Schema.Literals(["Read", "Unread"]),
  /** When a backoff, a pause or a set-aside ends, the earliest, on the wall clock. */
  nextWallMs: Schema.NullOr(Schema.Finite),
  actions: Schema.Array(SubjectAction)
})
// As an interface the compiler names it in what is exported, instead of writing out its fields.
export interface PlanSubject extends Schema.Schema.Type<typeof PlanSubject> {}
