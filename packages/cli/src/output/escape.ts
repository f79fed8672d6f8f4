/** Other people's text on our terminal and in our logs. */
import { escapeText } from "@tinyscheduler/core/domain/plainText"

export { escapeText }

/** A text on one line, with nothing in it that a terminal obeys, cut to a width with an ellipsis. */
export const escapeShort = (text: string, width: number): string => {
  const escaped = escapeText(text)
  return escaped.length <= width ? escaped : `${escaped.slice(0, width - 1)}…`
}
