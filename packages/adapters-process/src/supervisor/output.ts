/**
 * The way an agent's output takes to its supervisor: a FIFO that has no name any more. A pipe made by Node is a socket,
 * and an agent's `echo x > /dev/stdout` fails on one. Read by the event loop: a read in the thread pool that never
 * returns would hang our exit.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { Socket } from "node:net"

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants
const readBytes = 64 * 1024

export interface Output {
  /** The end that the agent gets: blocking, as programs expect of their output. */
  readonly writeEnd: number
  /** Closes our copy of the write end, so that the end of the last writer is seen, and reads on. */
  readonly follow: (consume: (chunk: Uint8Array) => void) => void
  /** Waits until the last writer is gone, but not longer than this: a grandchild may hold the output for ever. */
  readonly drain: (maxMs: number) => Promise<void>
}

/** Makes the FIFO in a private directory. Throws when that can't be done. */
export const openOutput = (directory: string): Output => {
  const path = `${directory}/output`
  const made = spawnSync("mkfifo", ["-m", "600", path], { stdio: "ignore", timeout: 10_000 })
  if (made.error !== undefined) throw new Error(`mkfifo can't be run: ${made.error.message}`)
  if (made.status !== 0) throw new Error(`mkfifo could not make ${path}`)
  // The reader comes first and does not wait for a writer; the writer then finds one.
  const readEnd = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
  const writeEnd = fs.openSync(path, O_WRONLY | O_NOFOLLOW)
  fs.unlinkSync(path)
  const ended = Promise.withResolvers<void>()

  const follow = (consume: (chunk: Uint8Array) => void): void => {
    fs.closeSync(writeEnd)
    const socket = new Socket({
      fd: readEnd,
      readable: true,
      writable: false,
      onread: {
        buffer: Buffer.allocUnsafeSlow(readBytes),
        callback: (count, buffer) => {
          consume(buffer.subarray(0, count))
          return true
        }
      }
    })
    socket.on("end", ended.resolve)
    // A FIFO has no errors of its own; if reading fails all the same, there is no more output, and the agent goes on.
    socket.on("error", () => ended.resolve())
  }

  const drain = async (maxMs: number): Promise<void> => {
    const timer = setTimeout(ended.resolve, maxMs)
    await ended.promise
    clearTimeout(timer)
  }

  return { writeEnd, follow, drain }
}
