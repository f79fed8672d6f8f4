/** Shell text of our pages as its simple commands: enough to know each program and, for ours, subcommand and flags. */

/** What a page's commands may call beside ours; a name that is not here is a slip of the pen until it is added. */
const others: ReadonlySet<string> = new Set(
  `[ awk cat cd chmod chown continue cp crontab curl date docker du echo exit find flock getent git goose grep install
   journalctl jq kill launchctl ln loginctl ls mkdir mv node npm npx plutil podman printf ps rm sed set sh sleep sqlite3
   systemctl systemd-analyze systemd-cat tail tar test touch true umask useradd wget`.split(/\s+/)
)

const keywords = /^(?:for \w+ in [^;]*|do|done|then|else|fi|esac|\{|\}|!|if|while|until)(?:\s+|$)/

/** Heredocs are not commands. */
const withoutHeredocs = (text: string): string =>
  text.replace(/^(.*?)<<-?\s*(['"]?)(\w+)\2(.*)\n[\s\S]*?^\s*\3$/gm, "$1$4")

/** Splits at the operators of the shell that stand outside quotes, and drops comments. */
const split = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let part = ""
  let quote = ""
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (quote !== "") {
      if (char === quote) quote = ""
      part += char
    } else if (char === "'" || char === '"') {
      quote = char
      part += char
    } else if (char === "#" && (part === "" || /\s$/.test(part))) {
      while (at + 1 < text.length && text.charAt(at + 1) !== "\n") at += 1
    } else if (/[\n;|]/.test(char) || (char === "&" && !/[<>]$/.test(part))) {
      parts.push(part)
      part = ""
    } else part += char
  }
  return [...parts, part]
}

/** The words of one simple command, quotes and redirections taken off. */
const wordsOf = (command: string): ReadonlyArray<string> =>
  (command.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/g) ?? [])
    .filter((word) => !/^\d*[<>]/.test(word))
    .map((word) => word.replaceAll(/["']/g, ""))

export interface SimpleCommand {
  readonly program: string
  readonly args: ReadonlyArray<string>
}

const unwrapped = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [first = "", second = ""] = words
  if (/^\w+=/.test(first)) return unwrapped(words.slice(1))
  if (first === "sudo") return unwrapped(words.slice(second === "-u" ? 3 : 1))
  if (first === "env") return unwrapped(words.slice(1).filter((word) => word !== "-i"))
  return words
}

/** Every simple command of a text, those inside $( ) too. */
export const commandsOf = (text: string): ReadonlyArray<SimpleCommand> => {
  const joined = withoutHeredocs(text).replace(/\\\n\s*/g, " ")
  const inner = [...joined.matchAll(/\$\(([^()]*)\)/g)].flatMap((match) => commandsOf(match[1] ?? ""))
  const outer = split(joined.replace(/\$\([^()]*\)/g, "X")).flatMap((part) => {
    let command = part.trim()
    while (keywords.test(command)) command = command.replace(keywords, "")
    const [program = "", ...args] = unwrapped(wordsOf(command))
    return program === "" || program === "export" ? [] : [{ program, args }]
  })
  return [...outer, ...inner]
}

export const isOurs = ({ program }: SimpleCommand): boolean => /(?:^|\/)tinyscheduler$/.test(program)

export const isKnown = ({ program }: SimpleCommand): boolean => others.has(program)
