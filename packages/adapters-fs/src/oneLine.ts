/** Foreign text made fit for one line of a report: escaped, and cut. */
import { escapeText } from "@tinyscheduler/core/domain/plainText"

/** At most `max` characters of a text, on one line. */
export const oneLine = (text: string, max = 200): string =>
  escapeText(text.length > max ? `${text.slice(0, max)}…` : text)

/** A short text in quotation marks. */
export const quoted = (text: string): string => `"${oneLine(text, 60)}"`

/** The message of whatever was thrown, on one line. */
export const messageOf = (error: unknown): string => oneLine(error instanceof Error ? error.message : String(error))
