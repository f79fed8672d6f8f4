/**
 * The scheduler's log on disk: a line goes into the file of its day, `scheduler_YYYYMMDD.log`, which is opened for it. So
 * the file changes at midnight by itself, and one that was renamed or removed is made anew. A file that can't be written
 * costs its lines and nothing else; when that begins and when it is over is told once.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, writeSync } from "node:fs"
import type { Stats } from "node:fs"
import { join } from "node:path"
import { expectTrusted } from "@tinyscheduler/adapters-fs/directoryTrust"
import { codeOf, reasonOf } from "@tinyscheduler/adapters-fs/errno"
import { makeDirectory } from "@tinyscheduler/adapters-fs/makeDirectory"
import { giveSoleName } from "@tinyscheduler/adapters-fs/soleName"
import { schedulerLogName } from "@tinyscheduler/core/protocol/layout"
import { isForeign } from "@tinyscheduler/core/protocol/ownership"

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants

export interface LogFile {
  /** Appends a line of a day (YYYYMMDD). Answers what a person should be told of the file itself, nearly always null. */
  readonly append: (day: string, line: string) => LogFileNews | null
}

export type LogFileNews =
  | { readonly _tag: "Failing"; readonly message: string }
  | { readonly _tag: "Recovered"; readonly message: string }

/** Never through a link, and never waiting for the reader of a named pipe. */
const openFile = (path: string): { readonly descriptor: number; readonly stat: Stats } => {
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  return { descriptor, stat: fstatSync(descriptor) }
}

/** Why nothing is to be written into a file: what another put there, he means to read. */
const faultOf = (stat: Stats): string | null => {
  if (!stat.isFile()) return "it is not a file"
  return isForeign(stat, process.geteuid?.() ?? 0) ? `it belongs to user ${stat.uid}, not to us` : null
}

/** Opens the log of a day, and gives it a sole name where it has several. */
const openLog = (path: string): number => {
  const { descriptor, stat } = openFile(path)
  const fault = faultOf(stat)
  if (fault === null && stat.nlink === 1) return descriptor
  closeSync(descriptor)
  if (fault !== null) throw new Error(fault)
  giveSoleName(path, `${path}.${process.pid}`)
  return openFile(path).descriptor
}

/** Where a log stands: its directory, and the base path, which it never makes. */
export interface LogPlace {
  readonly logs: string
  readonly base: string
}

export const makeLogFile = ({ base, logs: directory }: LogPlace): LogFile => {
  let missing = 0
  /** A full disk took the beginning of a line: what comes next must not become its end. */
  let torn = false

  /** It has stood once: when what it stands in is gone too, that was moved away, and is not to be made anew. */
  let stood = false

  const openMaking = (name: string): number => {
    if (!stood) expectTrusted(directory)
    try {
      return openLog(join(directory, name))
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error
      if (stood) mkdirSync(directory, { mode: 0o700 })
      else makeDirectory(directory, base)
      return openLog(join(directory, name))
    }
  }

  const write = (descriptor: number, text: string): void => {
    const bytes = Buffer.from(torn ? `\n${text}` : text)
    for (let written = 0; written < bytes.length;) {
      written += writeSync(descriptor, bytes, written)
      torn = written < bytes.length
    }
  }

  return {
    append: (day, line) => {
      const name = schedulerLogName(day)
      const path = join(directory, name)
      try {
        const descriptor = openMaking(name)
        stood = true
        try {
          write(descriptor, `${line}\n`)
        } finally {
          closeSync(descriptor)
        }
      } catch (error) {
        missing += 1
        if (missing > 1) return null
        const message = `${path} can't be written: ${reasonOf(error)}; until it can, the log stands on stderr alone`
        return { _tag: "Failing", message }
      }
      if (missing === 0) return null
      const message = `${path} can be written again; ${missing} line${missing === 1 ? " is" : "s are"} missing before the last one`
      missing = 0
      return { _tag: "Recovered", message }
    }
  }
}
