/**
 * The embedded server's SQLite file: opening, schema, transactions. The tables and columns are Tinytask's own, so that a
 * file can change hands between the two servers.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite"
import * as Result from "effect/Result"

export type Row = Readonly<Record<string, SQLOutputValue>>

/** Prepared once, used for every call. */
export interface Database {
  readonly all: (sql: string, ...values: ReadonlyArray<SQLInputValue>) => ReadonlyArray<Row>
  readonly one: (sql: string, ...values: ReadonlyArray<SQLInputValue>) => Row | undefined
  readonly run: (
    sql: string,
    ...values: ReadonlyArray<SQLInputValue>
  ) => { readonly changes: number; readonly id: number }
  /** Runs the work as one transaction; a failure, returned or thrown, undoes it. */
  readonly transaction: <A, E>(work: () => Result.Result<A, E>) => Result.Result<A, E>
  readonly close: () => void
}

const schema = `
CREATE TABLE IF NOT EXISTS tasks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  description TEXT,
  status TEXT NOT NULL CHECK (status IN ('idle', 'working', 'complete')),
  assigned_to TEXT,
  previous_assigned_to TEXT,
  created_by TEXT,
  priority INTEGER DEFAULT 0,
  tags TEXT,
  parent_task_id INTEGER REFERENCES tasks (id) ON DELETE CASCADE,
  queue_name TEXT,
  blocked_by_task_id INTEGER REFERENCES tasks (id) ON DELETE SET NULL,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  archived_at DATETIME
);
CREATE TABLE IF NOT EXISTS comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  content TEXT NOT NULL,
  created_by TEXT,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS links (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  url TEXT NOT NULL,
  description TEXT,
  created_by TEXT,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_tasks_status ON tasks (status);
CREATE INDEX IF NOT EXISTS idx_tasks_assigned_status ON tasks (assigned_to, status);
CREATE INDEX IF NOT EXISTS idx_tasks_queue_status ON tasks (queue_name, status);
CREATE INDEX IF NOT EXISTS idx_tasks_parent_task_id ON tasks (parent_task_id);
CREATE INDEX IF NOT EXISTS idx_tasks_blocked_by ON tasks (blocked_by_task_id);
CREATE INDEX IF NOT EXISTS idx_comments_task_id ON comments (task_id);
CREATE INDEX IF NOT EXISTS idx_links_task_id ON links (task_id);
`

/** A commit survives a power cut (FULL), and a second process on the file is waited for instead of refused at once. */
const settings = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA busy_timeout = 5000;
`

/**
 * Node 22 warns on stderr that SQLite is experimental, once, while the module is loaded. Users of a command can do nothing
 * about it, so just that one moment is kept silent; loading is synchronous, so no other warning can fall into it.
 */
const loadSqlite = () => {
  const original = Object.getOwnPropertyDescriptor(process, "emitWarning")
  Object.defineProperty(process, "emitWarning", { configurable: true, writable: true, value: () => {} })
  try {
    return process.getBuiltinModule("node:sqlite")
  } finally {
    if (original === undefined) Reflect.deleteProperty(process, "emitWarning")
    else Object.defineProperty(process, "emitWarning", original)
  }
}

const inTransaction = <A, E>(database: DatabaseSync, work: () => Result.Result<A, E>): Result.Result<A, E> => {
  // Immediate: a deferred transaction that reads first is refused at once when another process wrote meanwhile.
  database.exec("BEGIN IMMEDIATE")
  let kept = false
  try {
    const outcome = work()
    kept = Result.isSuccess(outcome)
    return outcome
  } finally {
    database.exec(kept ? "COMMIT" : "ROLLBACK")
  }
}

/** Opens or makes the file; `:memory:` keeps everything in memory. Throws what SQLite throws. */
export const openDatabase = (path: string): Database => {
  const { DatabaseSync } = loadSqlite()
  const database = new DatabaseSync(path)
  database.exec(settings)
  database.exec(schema)
  const prepared = new Map<string, StatementSync>()
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const fresh = database.prepare(sql)
    prepared.set(sql, fresh)
    return fresh
  }
  return {
    all: (sql, ...values) => statement(sql).all(...values),
    one: (sql, ...values) => statement(sql).get(...values),
    run: (sql, ...values) => {
      const { changes, lastInsertRowid } = statement(sql).run(...values)
      return { changes: Number(changes), id: Number(lastInsertRowid) }
    },
    transaction: (work) => inTransaction(database, work),
    close: () => database.close()
  }
}
