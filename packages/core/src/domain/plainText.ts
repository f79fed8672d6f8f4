/**
 * Other people's text made fit to be shown: nothing in it that a terminal obeys, that begins a new line, or that changes
 * the order in which the rest of the line is read. The one list of such characters.
 */

/** C1 controls (one of them begins an escape sequence, as ESC does), separators of lines, direction marks, what nobody sees. */
const beyondAscii = String.raw`\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb`

/** Half of a character: nobody can show it, and every encoder makes something else of it. */
const half = String.raw`\p{Surrogate}`

const unshowable = new RegExp(String.raw`[\u0000-\u001f${beyondAscii}]|${half}`, "gu")
const unshowableInJson = new RegExp(`[${beyondAscii}]|${half}`, "gu")

const escapeOne = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** A text on one line, each such character written as its number. */
export const escapeText = (text: string): string => text.replace(unshowable, escapeOne)

/** The same for JSON text, which means the same afterwards: JSON writes these characters so too. Its own line breaks stay. */
export const escapeJsonText = (json: string): string => json.replace(unshowableInJson, escapeOne)
