/** What must be true after every crash and its recovery; each violation is a sentence. */
import { readdirSync, readFileSync, statSync } from "node:fs"
import type { Recovered } from "./recovery.ts"
import type { Scenario } from "./scenarios.ts"
import type { Stage } from "./Stage.ts"

const nobodyTwice = (stage: Stage): ReadonlyArray<string> => {
  const notes = stage.notes()
  const starts = notes.filter(({ what }) => what === "start").map(({ epoch, task }) => `${task}.${epoch}`)
  return [
    ...notes
      .filter(({ what }) => what.startsWith("two "))
      .map(({ agent, epoch, task, what }) => `${what} (task ${task}, epoch ${epoch}, ${agent})`),
    ...starts
      .filter((start, index) => starts.indexOf(start) !== index)
      .map((start) => `attempt ${start} was begun twice`)
  ]
}

const eachTaskOnce = (stage: Stage, { ends }: Scenario): ReadonlyArray<string> => {
  const { database } = stage.tasks.server
  const wanted = ends === "complete" ? 1 : 0
  return database.tasks().flatMap((task) => {
    const completions = database
      .changes()
      .filter(({ after, task: id }) => id === task.id && after === "complete").length
    const marks = database.comments(task.id).flatMap((comment) => comment.match(/\[tinyscheduler [^\]]*\]/) ?? [])
    return [
      ...(completions === wanted ? [] : [`task ${task.id} became complete ${completions} times`]),
      ...(ends === "complete" || (task.status === "idle" && task.assigned_to === null)
        ? []
        : [`parked task ${task.id} is ${task.status}, of ${task.assigned_to}`]),
      ...marks.filter((mark, index) => marks.indexOf(mark) !== index).map((mark) => `two comments ${mark}`)
    ]
  })
}

interface AttemptsFile {
  readonly outcomes: ReadonlyArray<{ readonly epoch: number; readonly token: string; readonly outcome: string }>
  readonly last: { readonly epoch: number } | null
}

/** Starts = outcomes, and each outcome stands in the history as it was recorded. */
const everyAttemptAccounted = (stage: Stage): ReadonlyArray<string> => {
  const begun = stage.notes().filter(({ what }) => what === "start")
  const history = stage
    .names("state/history")
    .flatMap((name) => stage.lines(`state/history/${name}`))
    .map((line): { readonly token: string; readonly outcome: string } => JSON.parse(line))
  return stage.tasks.server.database.tasks().flatMap(({ id }) => {
    const text = stage.text(`state/attempts/task_${id}.json`)
    if (text === null) return [`task ${id} has no attempts file`]
    const { last, outcomes }: AttemptsFile = JSON.parse(text)
    const recorded = new Set(outcomes.map(({ epoch }) => epoch))
    const told = (token: string) => history.findLast((line) => line.token === token)?.outcome
    return [
      ...begun
        .filter(({ epoch, task }) => task === id && !recorded.has(epoch))
        .map(({ epoch }) => `attempt ${id}.${epoch} ran and has no outcome`),
      ...(last === null || recorded.has(last.epoch) ? [] : [`the last start of task ${id} is open`]),
      ...outcomes
        .filter(({ outcome, token }) => told(token) !== outcome)
        .map(
          ({ epoch, outcome, token }) => `the history tells ${told(token)} of ${id}.${epoch}, which ended ${outcome}`
        )
    ]
  })
}

/** The state's files, but for logs, which are only text. */
const filesOf = (stage: Stage): ReadonlyArray<string> =>
  readdirSync(stage.path("state"), { recursive: true })
    .map(String)
    .filter((name) => statSync(stage.path(`state/${name}`)).isFile())

const nothingLeft = (stage: Stage): ReadonlyArray<string> => [
  ...["running", "claims", "stops", "tmp"].flatMap((directory) =>
    stage.names(`state/${directory}`).map((name) => `${directory}/${name} is left`)
  ),
  ...filesOf(stage)
    .filter((name) => name.includes(".tmp-") || name.startsWith("aside/"))
    .map((name) => `${name} is left`),
  ...stage.living().map(({ command, pid }) => `process ${pid} is left: ${command}`)
]

const nothingTorn = (stage: Stage): ReadonlyArray<string> =>
  filesOf(stage)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      try {
        JSON.parse(readFileSync(stage.path(`state/${name}`), "utf8"))
        return []
      } catch {
        return [`${name} is torn`]
      }
    })

const quietPass = /^pass: 0 started, 0 ended, 0 stopping, 0 running/m

const passesWentWell = ({ passes, rested }: Recovered): ReadonlyArray<string> => {
  const last = passes.at(-1)
  return [
    ...(rested ? [] : [`${passes.length} passes did not bring it to rest; the last said: ${last?.said}`]),
    ...passes.flatMap(({ code, said }) => (code === 0 ? [] : [`a pass exited ${code}: ${said}`])),
    ...(last !== undefined && quietPass.test(last.said) ? [] : [`a pass at rest found something to do: ${last?.said}`])
  ]
}

export const violationsOf = (stage: Stage, scenario: Scenario, recovered: Recovered): ReadonlyArray<string> => [
  ...nobodyTwice(stage),
  ...eachTaskOnce(stage, scenario),
  ...everyAttemptAccounted(stage),
  ...nothingLeft(stage),
  ...nothingTorn(stage),
  ...passesWentWell(recovered)
]
