/**
 * Cuts a server-sent event stream into its events while it arrives. Lines end at \n or \r\n and nowhere
 * else: titles may hold U+2028, which Tinytask sends raw. A line is joined once, however many pieces it came in, so that
 * a list of megabytes stays linear.
 */

export interface StreamEvent {
  readonly event: string
  readonly data: string
}

export interface EventStreamDecoder {
  /** Takes the next piece; answers with the events that it completed. */
  readonly push: (piece: string) => ReadonlyArray<StreamEvent>
  /** The stream is over: an event without its closing blank line still counts, servers forget it. */
  readonly end: () => ReadonlyArray<StreamEvent>
}

/** A decoder of one stream; it holds at most the event that is not complete yet. */
export const makeEventStreamDecoder = (): EventStreamDecoder => {
  let unfinished: Array<string> = []
  let data: Array<string> = []
  let event = "message"

  const takeLine = (line: string): StreamEvent | null => {
    if (line === "") {
      const complete = data.length === 0 ? null : { event, data: data.join("\n") }
      data = []
      event = "message"
      return complete
    }
    const colon = line.indexOf(":")
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)
    if (field === "data") data.push(value)
    else if (field === "event") event = value
    return null
  }

  const push = (piece: string): ReadonlyArray<StreamEvent> => {
    const events: Array<StreamEvent> = []
    let from = 0
    for (let at = piece.indexOf("\n"); at !== -1; at = piece.indexOf("\n", from)) {
      unfinished.push(piece.slice(from, at))
      const line = unfinished.join("")
      unfinished = []
      from = at + 1
      const complete = takeLine(line.endsWith("\r") ? line.slice(0, -1) : line)
      if (complete !== null) events.push(complete)
    }
    if (from < piece.length) unfinished.push(piece.slice(from))
    return events
  }

  return { push, end: () => push("\n\n") }
}
