/**
 * Log lines: to stderr, and for a running scheduler to `scheduler_YYYYMMDD.log`, one line per event. The file of a line
 * is the one of its day, so a daemon's file changes at midnight.
 */
import { appendFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type { Settings } from "../settings/settingTable.ts"
import { escapeText } from "./escape.ts"

const messageText = (message: unknown): string => {
  const parts: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
  return parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ")
}

const pad = (value: number): string => String(value).padStart(2, "0")

/** The day in the machine's own time, as `date +%Y%m%d` prints it. */
const dayOf = (date: Date): string => `${date.getFullYear()}${pad(date.getMonth() + 1)}${pad(date.getDate())}`
const clockOf = (date: Date): string => `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`

const format = (options: Logger.Options<unknown>, kind: Settings["logFormat"]): string => {
  const { cause, date, logLevel, message } = options
  const text = messageText(message)
  const failure = cause.reasons.length === 0 ? "" : ` ${Cause.pretty(cause)}`
  if (kind === "json") {
    return JSON.stringify({
      time: date.toISOString(),
      level: logLevel.toUpperCase(),
      message: text,
      ...(failure === "" ? {} : { cause: failure.trim() })
    })
  }
  return `${dayOf(date)} ${clockOf(date)} ${logLevel.toUpperCase().padEnd(5)} ${escapeText(text + failure)}`
}

const levels: Readonly<Record<Settings["logLevel"], LogLevel.Severity>> = {
  DEBUG: "Debug",
  INFO: "Info",
  WARN: "Warn",
  ERROR: "Error"
}

/** Where a line of today goes; a directory that can't be written costs the file, never the pass. */
const appendLine = (directory: string, date: Date, line: string): void => {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    appendFileSync(join(directory, `scheduler_${dayOf(date)}.log`), `${line}\n`, { mode: 0o600 })
  } catch {
    // stderr has the line already; telling of a full disk on every line would only hide the others.
  }
}

/**
 * The logger of one command; a null directory = stderr alone, as for every command that only looks. The settings are
 * asked for at each line, since a running daemon may have newer ones.
 */
export const layerLogging = (
  settings: () => Pick<Settings, "logLevel" | "logFormat">,
  directory: string | null
): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([
      Logger.make((options) => {
        const { logFormat, logLevel } = settings()
        if (LogLevel.isLessThan(options.logLevel, levels[logLevel])) return
        const line = format(options, logFormat)
        process.stderr.write(`${line}\n`)
        if (directory !== null) appendLine(directory, options.date, line)
      })
    ]),
    // Everything comes to the logger, which knows the level of this moment.
    Layer.succeed(References.MinimumLogLevel, levels.DEBUG)
  )
