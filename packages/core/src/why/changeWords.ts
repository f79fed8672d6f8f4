/** Changes in words for people: "finish task 17", "one more slot for ada or bo". */
import type { Situation } from "../domain/Situation.ts"
import type { Change, ChangeKind } from "./WhyAnswer.ts"

const kinds: { readonly [K in Change["_tag"]]: ChangeKind } = {
  Later: "wait",
  Resume: "resume",
  Retry: "retry",
  Finish: "finish",
  AgentSlots: "agent slots",
  QueueLimit: "queue limit",
  MaxConcurrent: "global limit",
  AgentEnabled: "enable agent",
  RecipePresent: "recipe",
  Policy: "starts",
  Assign: "assign"
}

export const kindOf = ({ _tag }: Change): ChangeKind => kinds[_tag]

/** 250 s → 4 m 10 s, 0.4 s → 1 s. Never shorter than what is meant. */
export const spanWords = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor((seconds % 86_400) / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "m"],
    [seconds % 60, "s"]
  ] as const
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`)
  return shown.length === 0 ? "0 s" : shown.join(" ")
}

/** What comes before the names of several changes of one kind, and each one's name. */
const wordsOf = (change: Change, { observed }: Situation): readonly [string, string] => {
  switch (change._tag) {
    case "Later":
      return ["wait ", spanWords(change.ms)]
    case "Resume":
      return ["resume ", change.agent ?? "all agents"]
    case "Retry":
      return ["retry task ", String(change.taskId)]
    case "Finish":
      return ["finish task ", String(change.taskId)]
    case "AgentSlots":
      return ["one more slot for ", change.agent]
    case "QueueLimit":
      return ["one more for the limit of queue ", `${change.queue} (${change.limit})`]
    case "MaxConcurrent":
      return ["one more for the global limit ", `(${change.limit})`]
    case "AgentEnabled":
      return ["enable agent ", change.agent]
    case "RecipePresent": {
      const sight = observed.recipes.find(({ recipe }) => recipe === change.recipe)
      return sight?.state === "outside"
        ? ["have a recipe within the recipes directory in place of ", sight.path]
        : ["add ", sight?.path ?? change.recipe]
    }
    case "Policy":
      return ["turn starts on", ""]
    case "Assign":
      return change.assignee === null ? ["take its assignee away", ""] : ["assign it to ", change.assignee]
  }
}

/** Those that don't begin as the first one does are left out. */
export const changeWords = (first: Change, alternatives: ReadonlyArray<Change>, situation: Situation): string => {
  const [before, name] = wordsOf(first, situation)
  const others = alternatives.map((change) => wordsOf(change, situation)).filter(([begin]) => begin === before)
  return `${before}${[name, ...others.map(([, other]) => other)].join(" or ")}`
}
