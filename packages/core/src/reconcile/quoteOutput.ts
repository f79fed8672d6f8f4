/**
 * Other people's text within a comment of ours: the end of an agent's output, bounded, with nothing in it that a terminal
 * or a page obeys. Each line is indented, so that it is shown as it is, and none can pass for one of ours.
 */

const linesMax = 40
const charactersMax = 2000
const indent = "    "

/** Colours and cursor movements are left out; what else can't be seen is spelled out. */
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const movements = /\u001b\[[0-?]*[ -/]*[@-~]/g
const unseen = /(?![\t\n])\p{Cc}|[\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu

const spelled = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** A text on one line. */
export const quoteLine = (text: string): string =>
  text
    .replace(movements, "")
    .replace(/[\t\n]/g, " ")
    .replace(unseen, spelled)

/** The last lines of a text as an indented block; empty for a text that shows nothing. */
export const quoteOutput = (text: string): string => {
  const lines = text
    .replace(movements, "")
    .split(/\r\n|[\r\n]/)
    .slice(-linesMax)
    .map((line) => line.replace(unseen, spelled))
    .join("\n")
  // A cut may halve a character that takes two places.
  const end = lines.slice(-charactersMax).replace(unseen, spelled).trimEnd()
  return end.replace(/^\n+/, "").replace(/^/gm, end === "" ? "" : indent)
}
