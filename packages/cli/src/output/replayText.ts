/** What a replay found, as a person reads it. */
import type { Cause, Turn } from "@tinyscheduler/core/replay/bisect"
import { fieldDifferences } from "@tinyscheduler/core/replay/fieldDifferences"
import type { Replayed } from "@tinyscheduler/core/replay/replay"
import type { Rerun, Shift } from "@tinyscheduler/core/replay/rerun"
import { kindOf } from "@tinyscheduler/core/record/Parts"
import { spanWords } from "@tinyscheduler/core/why/changeWords"
import type { OddRecord } from "../records/eachRecord.ts"
import { differenceText } from "./differenceText.ts"
import { escapeShort, escapeText } from "./escape.ts"
import { table } from "./table.ts"

/** So much of a value is shown, … */
const valueMax = 80
/** … so many fields of a part, … */
const fieldsMax = 3
/** … tasks of a record, and parts of a turn. */
const tasksMax = 3
const partsMax = 12

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

const valueText = (text: string | null): string => (text === null ? "nothing" : escapeShort(text, valueMax))

/** "reasons[0].used 2 -> 1". */
const fieldsText = (before: string | null, after: string | null): string => {
  const fields = fieldDifferences(before, after)
  const shown = fields
    .slice(0, fieldsMax)
    .map(({ after: right, before: left, path }) =>
      [...(path === "" ? [] : [escapeText(path)]), valueText(left), "->", valueText(right)].join(" ")
    )
  return [...shown, ...(fields.length > fieldsMax ? [`and ${fields.length - fieldsMax} more`] : [])].join("; ")
}

const kindWords: Readonly<Record<string, string>> = {
  task: "task",
  lookedUp: "the look-up of task",
  record: "the attempts at task",
  beat: "the beat of the attempt at task",
  agentRecord: "the record of agent",
  recipe: "recipe",
  startFault: "the failed start",
  agent: "agent",
  clock: "the time",
  here: "the machine",
  tinytask: "what could be read of Tinytask",
  paused: "the pause of all",
  requests: "what was asked for",
  starts: "what forbids starts",
  server: "which Tinytask",
  limits: "the limits",
  policy: "the policy",
  verdict: "the verdict on task",
  action: "action",
  agentUsage: "how full agents are, entry",
  queueUsage: "how full queues are, entry",
  plan: "the head of the plan"
}

/** A part in words: "task 17" for task/17. */
const partText = (key: string): string => {
  const kind = kindOf(key)
  const name = key.slice(kind.length + 1)
  return escapeText(`${kindWords[kind] ?? kind}${name === "" ? "" : ` ${name}`}`)
}

export type Told = Pick<Replayed, "id" | "at" | "result">

const replayedText = ({ id, result }: Told): ReadonlyArray<string> => {
  switch (result._tag) {
    case "Same":
      return []
    case "Odd":
      return [`${id} can't be understood: ${escapeText(result.problem)}`]
    case "Differs":
      return [`${id} ${partText(result.key)}, recorded and made now: ${fieldsText(result.recorded, result.made)}`]
  }
}

const oddText = ({ path, problem }: OddRecord): string => escapeText(`${path} holds what is no record: ${problem}`)

export const replayText = (same: number, different: ReadonlyArray<Told>, odd: ReadonlyArray<OddRecord>): string =>
  [
    ...different.flatMap(replayedText),
    ...odd.map(oddText),
    `${counted(same + different.length, "record")} replayed, ${same} identical, ${different.length} different`
  ].join("\n")

const partsText = (parts: ReadonlyArray<string>, between: string): string =>
  `${parts.slice(0, partsMax).join(between)}${parts.length > partsMax ? ` and ${parts.length - partsMax} more` : ""}`

const causeText = ({ after, before, key }: Cause): string => `${partText(key)} (${fieldsText(before, after)})`

const turnText = ({ at, before, causes, changed, holds, id }: Turn): ReadonlyArray<string> => [
  `${id}  ${at}  ${holds ? "holds from here on" : "holds no more"}`,
  before === null
    ? "  this is the first record"
    : causes.length > 0
      ? `  because of ${partsText(causes.map(causeText), ", or of ")}; ${counted(changed.length, "part")} changed since ${before}`
      : `  no change by itself did it; since ${before} there changed ${partsText(changed.map(partText), ", ")}`
]

export const bisectionText = (
  asked: string,
  records: number,
  turns: ReadonlyArray<Turn>,
  odd: ReadonlyArray<OddRecord>
): string =>
  [
    ...(turns.length === 0 ? [] : [`${escapeText(asked)}:`]),
    ...turns.flatMap(turnText),
    ...odd.map(oddText),
    ...(turns.length === 0 ? [`${escapeText(asked)}: in none of ${counted(records, "record")}`] : [])
  ].join("\n")

const shiftText = ({ count, medianMs }: Shift, way: string): ReadonlyArray<string> =>
  count === 0 ? [] : [`${counted(count, "attempt")} ${way}, the middle one by ${spanWords(medianMs)}`]

export const rerunText = (
  { agents, changed, first, later, notThen, onlyThen, rounds, sooner }: Rerun,
  odd: ReadonlyArray<OddRecord>
): string =>
  [
    `${changed} of ${counted(rounds, "plan")} would have been ${changed === 1 ? "another" : "others"}`,
    ...first.flatMap(({ differences, id }) => [
      `${id}  ${counted(differences.length, "task")}`,
      ...differences.slice(0, tasksMax).map((difference) => `  ${differenceText(difference)}`)
    ]),
    ...(agents.length === 0
      ? []
      : [
          table(
            ["agent", "started", "would have"],
            agents.map(({ agent, recorded, supposed }) => [escapeText(agent), String(recorded), String(supposed)])
          )
        ]),
    ...shiftText(sooner, "sooner"),
    ...shiftText(later, "later"),
    ...(notThen === 0 ? [] : [`${counted(notThen, "attempt")} would have started in none of these passes`]),
    ...(onlyThen === 0 ? [] : [`${counted(onlyThen, "attempt")} would have started that did in none of them`]),
    ...odd.map(oddText)
  ].join("\n")
