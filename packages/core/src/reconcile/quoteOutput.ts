/**
 * Other people's text within a comment of ours: the end of an agent's output, bounded, with nothing in it that a terminal
 * or a page obeys. Each line is indented, so that it is shown as it is, and none can pass for one of ours.
 */
import { escapeText } from "../domain/plainText.ts"

const linesMax = 40
const charactersMax = 2000
const indent = "    "

/** Colours and cursor movements are left out; what else can't be seen is spelled out. */
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const movements = /\u001b\[[0-?]*[ -/]*[@-~]/g

/** A tab shows as what it is. */
const spelled = (line: string): string => line.split("\t").map(escapeText).join("\t")

/** A text on one line. */
export const quoteLine = (text: string): string => escapeText(text.replace(movements, "").replace(/[\t\n]/g, " "))

/** The last lines of a text as an indented block; empty for a text that shows nothing. */
export const quoteOutput = (text: string): string => {
  const lines = text
    .replace(movements, "")
    .split(/\r\n|[\r\n]/)
    .slice(-linesMax)
    .map(spelled)
    .join("\n")
  // A cut may halve a character that takes two places.
  const end = lines.slice(-charactersMax).split("\n").map(spelled).join("\n").trimEnd()
  return end.replace(/^\n+/, "").replace(/^/gm, end === "" ? "" : indent)
}
