/** Tables for people: aligned columns without lines, so that they can be copied and cut. */
import stringWidth from "string-width"

const between = "  "

/** Rows under a head; cells must be escaped already. Each row takes the same time: there may be tens of thousands. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const measured = [head, ...rows].map((row) => row.map((text) => ({ text, width: stringWidth(text) })))
  const widths: Array<number> = []
  for (const row of measured) {
    for (const [column, { width }] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width)
  }
  return measured
    .map((row) =>
      row
        .map(({ text, width }, column) => text + " ".repeat((widths[column] ?? 0) - width))
        .join(between)
        .trimEnd()
    )
    .join("\n")
}
