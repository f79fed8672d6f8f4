/**
 * The Tinytask of a lane: a real embedded server behind a gate on a port of its own, which goes out of reach on demand;
 * and what it knows, kept and put back.
 */
import { rmSync } from "node:fs"
import { createServer, connect, type Server } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { TinytaskServer } from "../harness/tinytask.ts"

export class Tasks {
  readonly server: TinytaskServer
  readonly #gate: Server
  readonly #open: DatabaseSync
  readonly #folder: string
  #port = 0
  #left = Number.POSITIVE_INFINITY

  private constructor(server: TinytaskServer, folder: string) {
    this.server = server
    this.#folder = folder
    this.#open = new DatabaseSync(server.databasePath)
    const { port } = new URL(server.url)
    this.#gate = createServer((incoming) => {
      this.#left -= 1
      // Nobody listens from here on; the connections that are open go on.
      if (this.#left <= 0) this.#gate.close()
      const outgoing = connect(Number(port), "127.0.0.1")
      for (const socket of [incoming, outgoing]) socket.on("error", () => socket.destroy())
      incoming.pipe(outgoing)
      outgoing.pipe(incoming)
    })
  }

  static async start(folder: string): Promise<Tasks> {
    const tasks = new Tasks(await TinytaskServer.start(join(folder, "tasks.db")), folder)
    await tasks.reach()
    return tasks
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** From here on it can be reached, for ever or for so many connections. */
  async reach(connections = Number.POSITIVE_INFINITY): Promise<void> {
    this.#left = connections
    if (this.#gate.listening) return
    await new Promise<void>((resolve) => this.#gate.listen(this.#port, "127.0.0.1", resolve))
    const address = this.#gate.address()
    if (typeof address === "object" && address !== null) this.#port = address.port
  }

  #tables(): ReadonlyArray<string> {
    return this.#open
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all()
      .map(({ name }) => String(name))
  }

  /** Leaves nothing in it. */
  empty(): void {
    this.#open.exec(
      `BEGIN IMMEDIATE; ${this.#tables()
        .map((name) => `DELETE FROM ${name};`)
        .join(" ")} COMMIT`
    )
  }

  /** Answers the file in which the tasks are kept. */
  keep(name: string): string {
    const file = join(this.#folder, `${name}.db`)
    rmSync(file, { force: true })
    this.#open.exec(`VACUUM INTO '${file}'`)
    return file
  }

  putBack(file: string): void {
    const copies = this.#tables().map(
      (table) => `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM kept.${table};`
    )
    this.#open.exec(`ATTACH '${file}' AS kept`)
    this.#open.exec(`BEGIN IMMEDIATE; ${copies.join(" ")} COMMIT; DETACH kept`)
  }

  async close(): Promise<void> {
    this.#gate.close()
    this.#open.close()
    await this.server.close()
  }
}
