/** What a help text says: the names of subcommands and flags. */

const section = (text: string, title: string): string =>
  new RegExp(`^${title}\\n((?: {2}.*\\n?)*)`, "m").exec(text)?.[1] ?? ""

export const subcommandsIn = (help: string): ReadonlyArray<string> =>
  [...section(help, "SUBCOMMANDS").matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1] ?? "")

/** Long ones, and short ones beside them. */
export const flagsIn = (help: string): ReadonlySet<string> =>
  new Set([...help.matchAll(/^ {2}(--[a-z-]+)(?:, (-\w))?/gm)].flatMap(([, long = "", short = ""]) => [long, short]))
