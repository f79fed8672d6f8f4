/** The lines of an output that may be events: whole JSON objects, each on a line of its own, in bounded memory. */

export interface LineScanner {
  readonly add: (chunk: Uint8Array) => void
  /** The output is over: its last line may have no end. */
  readonly end: () => void
}

const newline = 0x0a
const openingBrace = 0x7b

/** Lines that begin with another character are passed over; of one that is too long there is only that it was there. */
export const lineScanner = (maxBytes: number, consume: (line: string | null) => void): LineScanner => {
  let kept: Array<Buffer> = []
  let length = 0
  let isPassedOver = false

  const take = (part: Uint8Array): void => {
    if (part.length === 0 || isPassedOver) return
    isPassedOver = length === 0 && part[0] !== openingBrace
    if (isPassedOver) return
    length += part.length
    // The chunk's memory is used again for the next one.
    if (length <= maxBytes) kept.push(Buffer.from(part))
    else kept = []
  }

  const end = (): void => {
    if (length > 0) consume(length > maxBytes ? null : Buffer.concat(kept).toString("utf8").trimEnd())
    kept = []
    length = 0
    isPassedOver = false
  }

  const add = (chunk: Uint8Array): void => {
    let start = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, start)) {
      take(chunk.subarray(start, at))
      end()
      start = at + 1
    }
    take(chunk.subarray(start))
  }

  return { add, end }
}
