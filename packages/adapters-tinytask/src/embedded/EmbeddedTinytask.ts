/**
 * A Tinytask of one's own: the same tools over the same transport, from one SQLite file, for as long as a scope lives. It
 * serves people without a server, the demo and the tests; it has no authentication and listens on loopback by default.
 */
import { closeSync, mkdirSync, openSync } from "node:fs"
import type { Server } from "node:http"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { isLoopbackHost } from "../Endpoint.ts"
import { type Database, openDatabase } from "./Database.ts"
import { type Front, makeFront } from "./HttpFront.ts"
import { makeNoteStore } from "./NoteStore.ts"
import { makeNoteTools } from "./noteTools.ts"
import { makeQueueStore } from "./QueueStore.ts"
import { makeQueueTools } from "./queueTools.ts"
import { makeTaskStore } from "./TaskStore.ts"
import { makeTaskTools } from "./taskTools.ts"
import type { Tool } from "./Tool.ts"

/** The server could not be started; nothing of it is left. */
export class EmbeddedServerError extends Schema.TaggedError<EmbeddedServerError>()("EmbeddedServerError", {
  reason: Schema.String
}) {
  override get message() {
    return `The embedded Tinytask can't start: ${this.reason}`
  }
}

/** Its file can't be used; nothing listens. */
export class EmbeddedStoreError extends Schema.TaggedError<EmbeddedStoreError>()("EmbeddedStoreError", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The embedded Tinytask can't start: its database ${this.path} can't be opened (${this.reason})`
  }
}

export interface EmbeddedOptions {
  /** A file, made with its directory if it isn't there, or `:memory:`. */
  readonly databasePath: string
  /** 127.0.0.1 unless given. Whoever can reach another address can change every task. */
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
}

export interface EmbeddedTinytask {
  /** What clients take as their endpoint. */
  readonly url: string
  readonly port: number
}

/** How long answers that are on their way may take when the server stops. */
const stopMs = 1000

const causeText = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Task texts are nobody else's business: only the owner may read a file that is made here. */
const makeFile = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, "a", 0o600))
}

const openStore = (path: string): Effect.Effect<Database, EmbeddedStoreError> =>
  Effect.try({
    try: () => {
      if (path !== ":memory:") makeFile(path)
      return openDatabase(path)
    },
    catch: (cause) => new EmbeddedStoreError({ path, reason: causeText(cause) })
  })

const toolsOf = (database: Database): ReadonlyMap<string, Tool> => {
  const tasks = makeTaskStore(database)
  const notes = makeNoteStore(database, tasks)
  const queues = makeQueueStore(database, tasks)
  const tools = [...makeTaskTools(tasks, notes), ...makeQueueTools(queues, tasks), ...makeNoteTools(notes)]
  return new Map(tools.map((tool) => [tool.name, tool]))
}

const healthOf = (database: Database) => () => ({
  status: "healthy",
  transport: "streamable-http",
  timestamp: database.one("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS now")?.["now"],
  database: "connected",
  uptime: process.uptime(),
  sessionCount: 0
})

const listenReason = (error: NodeJS.ErrnoException, host: string, port: number): string => {
  if (error.code === "EADDRINUSE") return `port ${port} of ${host} is taken`
  if (error.code === "EACCES") return `port ${port} of ${host} is not allowed to this user`
  return `${host}:${port} can't be listened on (${error.code ?? error.message})`
}

const listen = ({ server }: Front, host: string, port: number): Effect.Effect<number, EmbeddedServerError> =>
  Effect.callback((resume) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      resume(Effect.fail(new EmbeddedServerError({ reason: listenReason(error, host, port) })))
    )
    server.listen(port, host, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const closed = (server: Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    server.close(() => resume(Effect.void))
  })

/** Takes no new requests, lets answers on their way arrive, then cuts what is left. */
const stop = ({ endStreams, server }: Front): Effect.Effect<void> =>
  Effect.sync(endStreams).pipe(
    Effect.andThen(closed(server)),
    Effect.timeoutOption(stopMs),
    Effect.andThen(Effect.sync(() => server.closeAllConnections()))
  )

/** An address that stands for all of them can't be called; this machine's own name can. */
const callable = (host: string): string => {
  if (host === "0.0.0.0" || host === "::" || host === "") return "localhost"
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host
}

/** Starts the server; it stops, and its file is closed, when the scope does. */
export const startEmbedded: (
  options: EmbeddedOptions
) => Effect.Effect<EmbeddedTinytask, EmbeddedServerError | EmbeddedStoreError, Scope.Scope> = Effect.fn(
  "startEmbedded"
)(function* ({ databasePath, host = "127.0.0.1", port }) {
  const database = yield* Effect.acquireRelease(openStore(databasePath), (opened) => Effect.sync(() => opened.close()))
  const front = makeFront({ tools: toolsOf(database), loopback: isLoopbackHost(host), health: healthOf(database) })
  const bound = yield* Effect.acquireRelease(listen(front, host, port), () => stop(front))
  return { url: `http://${callable(host)}:${bound}`, port: bound }
})
