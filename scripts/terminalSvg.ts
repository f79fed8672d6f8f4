/** What a terminal shows as a picture for a page: an SVG that needs no script and no font of its own. */

const lineHeight = 18
const characterWidth = 7.9
const margin = 20

export const escapeMarkup = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

/** `paint` may put markup into a line that is escaped already. */
export const terminalSvg = (
  lines: ReadonlyArray<string>,
  label: string,
  paint: (escaped: string) => string = (escaped) => escaped
): string => {
  const width = Math.round(2 * margin + characterWidth * Math.max(...lines.map(({ length }) => length)))
  const height = 32 + lineHeight * lines.length
  const rows = lines.map((line, index) => {
    const text = line === "" ? " " : paint(escapeMarkup(line))
    return `<tspan x="${margin}" y="${32 + index * lineHeight}">${text}</tspan>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeMarkup(label)}">
<rect width="100%" height="100%" rx="8" fill="#1d2021"/>
<text xml:space="preserve" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#ebdbb2">${rows.join("\n")}</text>
</svg>
`
}
