/** Pages that say "shown by" name tests: each is there, under that title. And the table of promises has no gap. */
import { existsSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { inRoot, pages, read } from "./documents/markdown.ts"

interface Shown {
  readonly page: string
  readonly file: string
  readonly title: string
}

/** `file` › "title", with the title broken over lines as prose is. */
const shownIn = (page: string): ReadonlyArray<Shown> =>
  [...read(page).matchAll(/`([^`\s]+\.ts)`\s+›\s+"([^"]+)"/g)].map((match) => ({
    page,
    file: match[1] ?? "",
    title: (match[2] ?? "").replace(/\s+/g, " ")
  }))

const isThere = ({ file, title }: Shown): boolean =>
  existsSync(inRoot(file)) && [`"${title}"`, `"${title}",`].some((text) => read(file).includes(text))

/** The rows of a page's tables, without their heads. */
const rowsOf = (page: string): ReadonlyArray<ReadonlyArray<string>> =>
  read(page)
    .split("\n")
    .filter((line, at, lines) => line.startsWith("| ") && !/^\|[-|]+$/.test(lines[at + 1] ?? ""))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim())
    )

describe("what is said to be shown by a test", () => {
  const shown = pages.flatMap(shownIn)

  it("is said of many tests", () => {
    assert.isAbove(shown.length, 100)
  })

  it("is shown by tests that there are", () => {
    assert.deepStrictEqual(
      shown.filter((one) => !isThere(one)),
      []
    )
  })

  it("is each promise of docs/promises.md", () => {
    const promises = rowsOf("docs/promises.md").filter((row) => row.length === 4)
    assert.isAbove(promises.length, 60)
    for (const [promise = "", where = "", shownBy = ""] of promises) {
      assert.isNotEmpty(promise)
      assert.isNotEmpty(where, promise)
      assert.match(shownBy, /› "/, promise)
    }
  })

  it("is each threat of SECURITY.md, by its number, with where it is defended", () => {
    const threats = rowsOf("SECURITY.md").filter((row) => row.length === 4)
    assert.isAbove(threats.length, 18)
    for (const [threat = "", defence = "", where = "", shownBy = ""] of threats) {
      assert.match(threat, /\((?:CWE-[0-9]+(?:, )?)+\)$/)
      assert.isNotEmpty(defence, threat)
      assert.isTrue(existsSync(inRoot(where.replaceAll("`", ""))), `${threat}: ${where}`)
      assert.match(shownBy, /› "/, threat)
    }
  })

  it("is each thing that docs/security.md says is checked, and each entry of docs/troubleshooting.md", () => {
    const checked = rowsOf("docs/security.md").filter((row) => row.length === 3)
    assert.isAbove(checked.length, 12)
    for (const [what = "", , shownBy = ""] of checked) assert.match(shownBy, /› "/, what)
    const entries = read("docs/troubleshooting.md")
      .split(/^###? /m)
      .slice(1)
    assert.isAtLeast(entries.length, 24)
    for (const entry of entries.filter((text) => text.includes("\n\n*") || text.includes("*Here*"))) {
      assert.match(entry, /› "/, entry.slice(0, 60))
    }
  })
})
