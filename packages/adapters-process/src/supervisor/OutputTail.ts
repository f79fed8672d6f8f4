/** The end of an agent's output, in constant memory, as text. */

export interface OutputTail {
  readonly add: (chunk: Uint8Array) => void
  /** At most the given bytes of UTF-8, beginning with a whole character. */
  readonly text: () => string
}

export const outputTail = (maxBytes: number): OutputTail => {
  const kept = Buffer.alloc(maxBytes)
  let length = 0
  return {
    add: (chunk) => {
      const fresh = chunk.subarray(Math.max(0, chunk.length - maxBytes))
      const stay = Math.min(length, maxBytes - fresh.length)
      kept.copyWithin(0, length - stay, length)
      kept.set(fresh, stay)
      length = stay + fresh.length
    },
    text: () => wholeCharacters(kept.subarray(0, length), maxBytes)
  }
}

/** The end of a text, of at most so many bytes. */
export const endOfText = (text: string, maxBytes: number): string =>
  wholeCharacters(Buffer.from(text).subarray(-maxBytes), maxBytes)

/** Bytes that are no UTF-8 decode to a character of three bytes each: what then is too long loses its beginning. */
const wholeCharacters = (bytes: Buffer, maxBytes: number): string => {
  let start = 0
  while (start < 3 && isContinuation(bytes[start])) start++
  let text = new TextDecoder().decode(bytes.subarray(start))
  while (Buffer.byteLength(text) > maxBytes) {
    const excess = Buffer.byteLength(text) - maxBytes
    text = text.slice(Math.max(1, Math.floor(excess / 4)))
    if (isLowSurrogate(text)) text = text.slice(1)
  }
  return text
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80
const isLowSurrogate = (text: string): boolean => text >= "\uDC00" && text < "\uE000"
