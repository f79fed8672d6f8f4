/** strace's log while it is written: how many of each call every thread has begun. Strace flushes it at each call. */
import { closeSync, existsSync, openSync, readSync } from "node:fs"

const begun = /^(\d+) +([a-z0-9]+)\(/
const chunkBytes = 256 * 1024

export class TraceLog {
  readonly #file: string
  readonly #counts = new Map<string, number>()
  readonly #chunk = Buffer.allocUnsafe(chunkBytes)
  #descriptor: number | null = null
  #offset = 0
  #unended = ""

  constructor(file: string) {
    this.#file = file
  }

  #lines(): ReadonlyArray<string> {
    if (this.#descriptor === null && !existsSync(this.#file)) return []
    this.#descriptor ??= openSync(this.#file, "r")
    let text = this.#unended
    for (;;) {
      const read = readSync(this.#descriptor, this.#chunk, 0, chunkBytes, this.#offset)
      if (read === 0) break
      this.#offset += read
      text += this.#chunk.toString("latin1", 0, read)
    }
    const lines = text.split("\n")
    this.#unended = lines.pop() ?? ""
    return lines
  }

  /** The threads that have just begun a call of this name and of such a count; who stands in it is answered again. */
  threadsAt(call: string, from: number, to: number): ReadonlyArray<number> {
    const found: Array<number> = []
    const look = (line: string, isWhole: boolean): void => {
      const [, pid, name] = begun.exec(line) ?? []
      if (pid === undefined || name !== call) return
      const reached = (this.#counts.get(pid) ?? 0) + 1
      if (isWhole) this.#counts.set(pid, reached)
      if (from <= reached && reached <= to) found.push(Number(pid))
    }
    for (const line of this.#lines()) look(line, true)
    look(this.#unended, false)
    return found
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
  }
}
