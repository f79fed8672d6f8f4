/**
 * The log of one command: every event one line, to stderr, and for a scheduler also to the file of the day. No line can
 * fail a pass: a file that can't be written is told on stderr, once.
 */
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type { Settings } from "../settings/settingTable.ts"
import { makeLogFile, type LogFileNews, type LogPlace } from "./logFile.ts"
import { dayOf, eventOf, lineOf, type LogEvent } from "./logLine.ts"
import { paintFor, prefixFor, stderrStream } from "./logStream.ts"

const levels: Readonly<Record<Settings["logLevel"], LogLevel.Severity>> = {
  DEBUG: "Debug",
  INFO: "Info",
  WARN: "Warn",
  ERROR: "Error"
}

const eventOfNews = (date: Date, { _tag, message }: LogFileNews): LogEvent => ({
  date,
  level: _tag === "Failing" ? "ERROR" : "INFO",
  message,
  fields: { event: "log-file" },
  cause: ""
})

/**
 * The logger of one command; a null place = stderr alone, as for every command that only looks. The settings are
 * asked for at each line, since a running daemon may have newer ones. What is below `onStderr` goes to the file alone.
 */
export const layerLogging = (
  settings: () => Pick<Settings, "logLevel" | "logFormat" | "mcpToken">,
  place: LogPlace | null,
  onStderr: Settings["logLevel"] = "DEBUG"
): Layer.Layer<never> => {
  const stream = stderrStream(process.env)
  const file = place === null ? null : makeLogFile(place)
  const tell = (event: LogEvent, format: Settings["logFormat"]): void => {
    const line = lineOf(event, format, paintFor(stream, event.level))
    process.stderr.write(`${prefixFor(stream, event.level)}${line}\n`)
  }
  const logger = Logger.make((options) => {
    const { logFormat, logLevel, mcpToken } = settings()
    if (LogLevel.isLessThan(options.logLevel, levels[logLevel])) return
    const event = eventOf(options, mcpToken === null ? [] : [mcpToken])
    if (!LogLevel.isLessThan(options.logLevel, levels[onStderr])) tell(event, logFormat)
    const news = file?.append(dayOf(event.date), lineOf(event, logFormat)) ?? null
    if (news === null) return
    const told = eventOfNews(event.date, news)
    tell(told, logFormat)
    if (news._tag === "Recovered") file?.append(dayOf(event.date), lineOf(told, logFormat))
  })
  return Layer.mergeAll(
    Logger.layer([logger]),
    // Everything comes to the logger, which knows the level of this moment.
    Layer.succeed(References.MinimumLogLevel, levels.DEBUG)
  )
}
