/**
 * Cuts a comment to what Tinytask takes. The server answers a body above 100 kB with a bare status 500, so a long report
 * would otherwise lose its ending and its beginning alike.
 */

/** Leaves room for the rest of the request below the server's 100 kB. */
const commentBytesMax = 90_000

/** What one character costs inside JSON text: escapes and UTF-8 both count. */
const jsonBytes = (character: string): number => Buffer.byteLength(JSON.stringify(character)) - 2

/** The text itself when it fits, else its beginning and a note of how long it was. */
export const cutComment = (text: string): string => {
  // Every character costs at least one byte, so what lies beyond the limit can't count.
  const head = text.slice(0, commentBytesMax + 1)
  if (head.length === text.length && jsonBytes(text) <= commentBytesMax) return text
  const note = `\n\n[cut: ${text.length} characters in all]`
  let room = commentBytesMax - jsonBytes(note)
  let kept = 0
  for (const character of head) {
    room -= jsonBytes(character)
    if (room < 0) break
    kept += character.length
  }
  return head.slice(0, kept) + note
}
