/** Foreign text made fit for one line of a report: control characters escaped, bidirectional overrides too, and cut. */

// oxlint-disable-next-line no-control-regex -- control characters are exactly what is escaped
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** At most `max` characters of a text, on one line. */
export const oneLine = (text: string, max = 200): string => {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text
  return cut.replace(unprintable, escape)
}

/** A short text in quotation marks. */
export const quoted = (text: string): string => `"${oneLine(text, 60)}"`

/** The message of whatever was thrown, on one line. */
export const messageOf = (error: unknown): string => oneLine(error instanceof Error ? error.message : String(error))
