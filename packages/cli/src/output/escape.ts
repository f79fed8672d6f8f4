/** Other people's text on our terminal and in our logs: control characters, escapes and line breaks made visible. */

// oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A text on one line, with nothing in it that a terminal obeys. */
export const escapeText = (text: string): string =>
  text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** The same, cut to a width with an ellipsis. */
export const escapeShort = (text: string, width: number): string => {
  const escaped = escapeText(text)
  return escaped.length <= width ? escaped : `${escaped.slice(0, width - 1)}…`
}
