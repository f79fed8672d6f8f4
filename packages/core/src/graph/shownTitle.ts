/** A title short enough for a picture: one line without anything that a terminal obeys, cut between characters. */
import { escapeText } from "../domain/plainText.ts"

const titleMax = 48

export const shownTitle = (title: string): string => {
  // Escaped after the cut, so that no escape is cut in two. No title is taken apart whole: it may be endless.
  const characters = Array.from(title.slice(0, 2 * titleMax + 2))
  const isLong = characters.length > titleMax
  return escapeText(isLong ? `${characters.slice(0, titleMax - 1).join("")}…` : characters.join(""))
}
