/** `--compare 'agent.vaela.slots=5,pause=oscar'`: a what-if in one text, in the words of its flags. */
import type { SettingPlace } from "./setting.ts"
import type { WhatIf } from "./suppositions.ts"

const lists = ["pause", "resume", "finish", "retry"] as const
const truths = ["pause-all", "resume-all"] as const

export const compareFlag: SettingPlace = { flag: "--compare", alsoKnown: [...lists, ...truths] }

const isTruth = (item: string): boolean => truths.some((word) => word === item)

/** A comma within a queue's name is no end of an item: what has no value yet goes on after it. */
const itemsIn = (text: string): ReadonlyArray<string> => {
  const items: Array<string> = []
  let begun: string | null = null
  for (const piece of text.split(",")) {
    const item: string = begun === null ? piece : `${begun},${piece}`
    begun = item.includes("=") || isTruth(item) ? null : item
    if (begun === null) items.push(item)
  }
  return begun === null ? items : [...items, begun]
}

/** What is none of the other words is a setting, or refused as one. */
export const comparedWhatIf = (text: string): WhatIf => {
  const items = itemsIn(text)
  const listed = (word: (typeof lists)[number]): ReadonlyArray<string> =>
    items.flatMap((item) => (item.startsWith(`${word}=`) ? [item.slice(word.length + 1)] : []))
  return {
    set: items.filter((item) => !isTruth(item) && !lists.some((word) => item.startsWith(`${word}=`))),
    addTask: [],
    pause: listed("pause"),
    pauseAll: items.includes("pause-all"),
    resume: listed("resume"),
    resumeAll: items.includes("resume-all"),
    finish: listed("finish"),
    retry: listed("retry")
  }
}
