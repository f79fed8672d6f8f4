/**
 * The top-level declarations of a file that the compiler emitted, with the comments of their members. Such files are
 * regular: each declaration begins at the start of a line and ends where its brackets are closed.
 */

export interface Declaration {
  readonly name: string
  /** Without `export` and `declare`. */
  readonly code: string
}

/** By how many brackets a line opens more than it closes, as far as it is code. */
const opened = (line: string): number => {
  const code = line.replace(/"(?:[^"\\]|\\.)*"|\/\*.*?\*\/|^\s*(?:\/\*\*?|\*).*$/g, "")
  return (code.match(/[{([]/g) ?? []).length - (code.match(/[})\]]/g) ?? []).length
}

const head = /^(?:export )?(?:declare )?(const|type|interface|class|function) (\w+)/

/** The paths of types that the compiler had to import by itself say nothing to a reader. */
const tidy = (line: string): string => line.replace(/^export |\bdeclare /g, "").replace(/import\("[^"]*"\)\./g, "")

/** By name: a value and a type may share one. */
export const declarationsIn = (text: string): ReadonlyMap<string, ReadonlyArray<Declaration>> => {
  const found = new Map<string, Array<Declaration>>()
  let current: { readonly name: string; readonly end: string; readonly lines: Array<string>; depth: number } | null =
    null
  for (const line of text.split("\n")) {
    const [, kind, name] = head.exec(line) ?? []
    if (current === null && name !== undefined) {
      // A union goes on after a bracket.
      const end = kind === "interface" || kind === "class" ? "}" : ";"
      current = { name, end, lines: [], depth: 0 }
    }
    if (current === null) continue
    current.depth += opened(line)
    if (!/^ +private /.test(line)) current.lines.push(tidy(line))
    else while (/^ +\/?\*/.test(current.lines.at(-1) ?? "")) current.lines.pop()
    if (current.depth > 0 || !line.endsWith(current.end)) continue
    const known = found.get(current.name) ?? []
    found.set(current.name, [...known, { name: current.name, code: current.lines.join("\n") }])
    current = null
  }
  return found
}
