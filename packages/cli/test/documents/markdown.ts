/** What a Markdown page is made of, as far as our pages use it: fenced blocks, links, headings, inline code. */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../../..", import.meta.url))
export const inRoot = (path: string): string => join(root, path)
export const read = (path: string): string => readFileSync(inRoot(path), "utf8")

/** Every page that people are meant to read, by its path from the root. */
export const pages: ReadonlyArray<string> = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...["docs", "examples", "deploy"].flatMap((folder) =>
    readdirSync(inRoot(folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
      .sort()
      .map((name) => `${folder}/${name}`)
  )
]

export interface Block {
  readonly page: string
  /** The line on which its content begins. */
  readonly line: number
  readonly language: string
  /** What follows the language: `run` for blocks that are executed, see e2e/harness/page.ts. */
  readonly marker: string
  readonly text: string
}

const fence = /^( *)```([^\n`]*)\n([\s\S]*?)^\1```$/gm

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length

export const blocksOf = (page: string): ReadonlyArray<Block> => {
  const text = read(page)
  return [...text.matchAll(fence)].map((match) => {
    const [language = "", ...marker] = (match[2] ?? "").trim().split(/\s+/)
    return { page, line: lineAt(text, match.index) + 1, language, marker: marker.join(" "), text: match[3] ?? "" }
  })
}

/** A page without its fenced blocks. */
export const proseOf = (page: string): string => read(page).replace(fence, "")

/** Inline code, on one line or broken over two. */
export const codeOf = (page: string): ReadonlyArray<string> =>
  [...proseOf(page).matchAll(/`([^`]+)`/g)].map((match) => (match[1] ?? "").replace(/\s+/g, " "))

/** As the forges make an anchor of a heading. */
export const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map((match) =>
      (match[1] ?? "")
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-")
    )
  )

export interface Link {
  readonly page: string
  /** Where it leads, from the root; the page itself for a mere anchor. */
  readonly path: string
  readonly anchor: string
}

/** Links inside the repository. */
export const linksOf = (page: string): ReadonlyArray<Link> =>
  [...proseOf(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map((match) => {
    const [target = "", anchor = ""] = (match[1] ?? "").split("#")
    const path = target === "" ? page : relative(root, join(dirname(inRoot(page)), target))
    return { page, path, anchor }
  })
