/**
 * The streams of events by which agents tell how their run went, line by line. Read by the supervisor, which only keeps
 * what was said; what it means is judged by the table of endings. Only events of the program that was started count: a
 * word in an agent's prose, or in what its tools print, is none.
 */
import { readClaude } from "./claude.ts"
import { readCodex } from "./codex.ts"
import { readGoose } from "./goose.ts"
import { isEvent, nothingRead } from "./Reading.ts"
import type { ReadEvent, Saying } from "./Reading.ts"

export const eventFormats = ["goose", "claude", "codex"] as const
export type EventFormat = (typeof eventFormats)[number]

const readers: { readonly [K in EventFormat]: ReadEvent } = { goose: readGoose, claude: readClaude, codex: readCodex }

/** Reads one stream. */
export interface EventReader {
  /** Whether it was an event. */
  readonly line: (text: string) => boolean
  /** What was said last of how the run went. */
  readonly result: () => Saying | null
}

const eventOf = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

export const eventReader = (format: EventFormat): EventReader => {
  let reading = nothingRead
  return {
    line: (text) => {
      const event = eventOf(text)
      if (!isEvent(event)) return false
      reading = readers[format](reading, event)
      return true
    },
    result: () => reading.result
  }
}

const flagsOf: { readonly [K in EventFormat]: (args: ReadonlyArray<string>) => boolean } = {
  goose: (args) => valueOf(args, "--output-format") === "stream-json",
  claude: (args) => ["stream-json", "json"].includes(valueOf(args, "--output-format") ?? ""),
  codex: (args) => args.includes("exec") && (args.includes("--json") || args.includes("--experimental-json"))
}

/** The last value of a flag, in either of its forms. */
const valueOf = (args: ReadonlyArray<string>, flag: string): string | undefined =>
  args
    .flatMap((argument, at) => {
      if (argument === flag) return args.slice(at + 1, at + 2)
      return argument.startsWith(`${flag}=`) ? [argument.slice(flag.length + 1)] : []
    })
    .at(-1)

/**
 * The format of what a command prints; null where it is none that is known, or its flags ask for another. A recipe is
 * Goose's, whatever its program is called.
 */
export const eventFormatOf = (argv: ReadonlyArray<string>): EventFormat | null => {
  for (const [at, argument] of argv.entries()) {
    const name = argument.slice(argument.lastIndexOf("/") + 1)
    const format = eventFormats.find((known) => known === name)
    if (format !== undefined) return flagsOf[format](argv.slice(at + 1)) ? format : null
  }
  return argv.includes("--recipe") && flagsOf.goose(argv) ? "goose" : null
}
