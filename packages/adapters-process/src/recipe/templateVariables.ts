/**
 * The variables that a recipe's template names. Goose renders a recipe's whole text before it reads it as YAML, so they
 * are looked for in the text, comments of YAML too. Only what can be told without running the template: names in
 * `{{ … }}` and `{% … %}`, less what the template itself sets.
 */

export interface TemplateReading {
  /** Names that the template asks for, each with the line where it first stands. */
  readonly named: ReadonlyMap<string, number>
  /** Whether it takes in other templates, whose names can't be seen here. */
  readonly includes: boolean
  /** The text with every piece of template made plain, of the same lines, so that YAML can be read around them. */
  readonly plain: string
}

/** Comments, expressions and statements. None spans the beginning of another of its kind, so no text takes long. */
const piece = /\{#(?:(?!\{#|#\})[\s\S])*#\}|\{\{((?:(?!\{\{|\}\})[\s\S])*)\}\}|\{%((?:(?!\{%|%\})[\s\S])*)%\}/g

/** One that is not closed goes on to the end, so that nothing is read twice in search of its other half. */
const stringLiteral = /"(?:[^"\\]|\\[\s\S]?)*(?:"|$)|'(?:[^'\\]|\\[\s\S]?)*(?:'|$)/g
const setByTemplate = /^[-+\s]*(?:set\s+([A-Za-z_]\w*)|for\s+([\w\s,]+?)\s+in\b|macro\s+(\w+))/
/** A name that is neither an attribute nor a filter nor a keyword argument. */
const name = /(?<![\w.])(?<!\|\s*)(?<!\bis\s+)(?<!\bis\s+not\s+)([A-Za-z_]\w*)\b(?!\s*=(?!=))/g

const words = new Set(
  (
    "and or not in is if elif else endif for endfor set endset with endwith macro endmacro block endblock raw endraw " +
    "filter endfilter include import from extends as true false none True False None loop self super range dict " +
    "namespace recursive without context ignore missing autoescape endautoescape do call endcall recipe_dir"
  ).split(" ")
)

const isBlank = (char: string | undefined): boolean => char === " " || char === "\t" || char === "\r"

/** Whether nothing else stands on the lines of a piece; looks no further than to the first other thing. */
const isAlone = (text: string, offset: number, length: number): boolean => {
  let before = offset - 1
  while (isBlank(text[before])) before -= 1
  let after = offset + length
  while (isBlank(text[after])) after += 1
  return (before < 0 || text[before] === "\n") && (after >= text.length || text[after] === "\n")
}

/** A word in place of an expression, a comment in place of a statement by itself: as long, with the same line breaks. */
const plainOf = (text: string, whole: string, offset: number, isExpression: boolean): string =>
  isExpression || !isAlone(text, offset, whole.length)
    ? whole.replace(/[^\n]/g, "x")
    : whole.replace(/[^\n]+/g, (line) => `#${" ".repeat(line.length - 1)}`)

export const readTemplate = (text: string): TemplateReading => {
  const named = new Map<string, number>()
  const set = new Set<string>()
  let includes = false
  let line = 1
  let counted = 0
  for (const match of text.matchAll(piece)) {
    const statement = match[2]
    line += text.slice(counted, match.index).split("\n").length - 1
    counted = match.index
    // Blanks mean the same however many there are, and the patterns below would try each of them.
    const code = (match[1] ?? statement ?? "").replace(stringLiteral, '""').replace(/\s+/g, " ")
    if (statement !== undefined) {
      if (/\b(?:include|import|extends)\b/.test(statement)) includes = true
      const [, assigned = "", looped = "", macro = ""] = setByTemplate.exec(code) ?? []
      for (const own of `${assigned} ${looped} ${macro}`.split(/[\s,]+/)) set.add(own)
    }
    for (const found of code.matchAll(name)) {
      const variable = found[1] ?? ""
      if (!words.has(variable) && !named.has(variable)) named.set(variable, line)
    }
  }
  for (const own of set) named.delete(own)
  const plain = text.replace(piece, (whole: string, expression: string | undefined, _statement, offset: number) =>
    plainOf(text, whole, offset, expression !== undefined)
  )
  return { named, includes, plain }
}
