/** Tables for people: aligned columns without lines, so that they can be copied and cut. */
import Table from "cli-table3"

const bare = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  "
}

/** Rows under a head; cells must be escaped already. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const made = new Table({
    head: [...head],
    chars: bare,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] }
  })
  for (const row of rows) made.push([...row])
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
}
