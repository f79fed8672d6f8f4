/** docs/api.md: every export with its docstring and its declaration as the compiler emits it, grouped by what it is about. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { core } from "./apiSurface.ts"
import type { ApiItem, Surface } from "./apiSurface.ts"
import { declarationsIn } from "./declarations.ts"
import type { Declaration } from "./declarations.ts"

interface Topic {
  readonly title: string
  readonly about: string
  /** Whose exports belong here: folders of the core's sources, and files, which come before folders. */
  readonly from: ReadonlyArray<string>
}

const topics: ReadonlyArray<Topic> = [
  {
    title: "The decision",
    about: "One pure function; everything else on this page feeds it, asks it or carries out what it says.",
    from: ["reconcile", "domain/Plan", "domain/Situation"]
  },
  {
    title: "What is desired",
    about: "Plain data that a configuration amounts to.",
    from: ["domain/DesiredState"]
  },
  {
    title: "What is observed",
    about: "Plain data again: made by a pass from its ports, or by you.",
    from: ["domain"]
  },
  {
    title: "Names and numbers",
    about: "Each is checked once, where it enters: `TaskId.make(0)` throws.",
    from: ["domain/identifiers"]
  },
  { title: "What if", about: "Other situations, and how their plans differ.", from: ["whatIf"] },
  { title: "Why", about: "Why a task runs or waits, and what would start it.", from: ["why"] },
  { title: "Forecast", about: "The decision in virtual time.", from: ["forecast"] },
  { title: "Graph", about: "Which tasks block which.", from: ["graph"] },
  {
    title: "Record and replay",
    about: "Rounds kept as lines of text, planned once more, and searched for the change that turned a verdict.",
    from: ["record", "replay"]
  },
  { title: "Passes", about: "Observe, reconcile, check, apply, over the ports.", from: ["pass"] },
  {
    title: "Kept plans",
    about: "A plan that somebody approves first, and that is carried out only while it still holds.",
    from: ["domain/PlanSubject", "reconcile/precondition", "reconcile/subjectDifference", "pass/applyApproved"]
  },
  { title: "Ports", about: "What a host supplies, each as a service of Effect.", from: ["ports"] },
  {
    title: "Simulation",
    about: "Imported from `@tinyscheduler/core/simulation`: all ports over a machine in memory, for tests.",
    from: ["simulation"]
  }
]

/** The file of an export, from the sources on: domain/Plan. */
const sourceOf = ({ fileUrlPath }: ApiItem): string => fileUrlPath.replace(/^dist\//, "").replace(/\.d\.ts$/, "")

const topicOf = (item: ApiItem): Topic => {
  const source = sourceOf(item)
  const folder = source.slice(0, source.indexOf("/"))
  const found = topics.find(({ from }) => from.includes(source)) ?? topics.find(({ from }) => from.includes(folder))
  if (found === undefined) throw new Error(`scripts/apiPage.ts has no topic for ${item.name} of ${source}`)
  return found
}

/** A docstring as a paragraph. */
const proseOf = (comment: string): string =>
  comment
    .trim()
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim()

const makeReader = () => {
  const files = new Map<string, ReadonlyMap<string, ReadonlyArray<Declaration>>>()
  return (item: ApiItem): ReadonlyMap<string, ReadonlyArray<Declaration>> => {
    const known = files.get(item.fileUrlPath)
    if (known !== undefined) return known
    const read = declarationsIn(readFileSync(join(core, item.fileUrlPath), "utf8"))
    files.set(item.fileUrlPath, read)
    return read
  }
}

/** The name that it is declared by; it may be exported by another, which says more outside of its file. */
const declaredName = ({ excerptTokens, name }: ApiItem): string =>
  /^(?:export )?(?:declare )?(?:(?:const|type|interface|class|function) )?(\w+)/.exec(
    excerptTokens.map(({ text }) => text).join("")
  )?.[1] ?? name

const codeOf = (item: ApiItem, declarations: ReadonlyMap<string, ReadonlyArray<Declaration>>): string => {
  const declared = declaredName(item)
  const code = (declarations.get(declared) ?? []).map((declaration) => declaration.code).join("\n")
  // The compiler splits a class off its base; to a reader they are one.
  const [base] = declarations.get(`${declared}_base`) ?? []
  const whole = base === undefined ? code : code.replace(`${declared}_base`, base.code.replace(/^const \w+: |;$/g, ""))
  return whole.replaceAll(new RegExp(`^(const|type|interface) ${declared}\\b`, "gm"), `$1 ${item.name}`)
}

const sectionOf = (name: string, items: ReadonlyArray<ApiItem>, code: string): string => {
  const documented = items.find(({ docComment }) => docComment !== undefined && docComment !== "")
  return `### ${name}\n\n${proseOf(documented?.docComment ?? "")}\n\n\`\`\`ts\n${code}\n\`\`\`\n`
}

/** What is called comes before what it is called with; both by name. */
const rankOf = ({ kind }: ApiItem): number => (kind === "Function" || kind === "Class" ? 0 : 1)

export const apiPage = (surfaces: ReadonlyArray<Surface>): string => {
  const read = makeReader()
  const byTopic = new Map<Topic, Map<string, Array<ApiItem>>>(topics.map((topic) => [topic, new Map()]))
  for (const item of surfaces.flatMap(({ items }) => items)) {
    const names = byTopic.get(topicOf(item))
    const known = names?.get(item.name)
    if (known === undefined) names?.set(item.name, [item])
    else known.push(item)
  }
  const sections = [...byTopic].map(([{ about, title }, names]) => {
    const exports = [...names]
      .sort(([, [left]], [, [right]]) => rankOf(left!) - rankOf(right!))
      .map(([name, items]) => sectionOf(name, items, codeOf(items[0]!, read(items[0]!))))
    return `## ${title}\n\n${about}\n\n${exports.join("\n")}`
  })
  return `# API

Written by \`npx -y pnpm@12 docs\` from the docstrings of the core; a test sees that it is what they say. How to use it, and
what is promised of it: [Embedding](embedding.md). Imported from \`@tinyscheduler/core\` where nothing else is said.

${topics.map(({ title }) => `- [${title}](#${title.toLowerCase().replaceAll(" ", "-")})`).join("\n")}

${sections.join("\n")}`
}
