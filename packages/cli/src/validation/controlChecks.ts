/** The control file: every fault and oddity, and whether somebody else may say what we run. */
import { statSync } from "node:fs"
import { basename } from "node:path"
import * as Result from "effect/Result"
import { checksOf, counted } from "./Check.ts"
import type { Check } from "./Check.ts"
import type { Examined } from "./examine.ts"

const { error, ok, warning } = checksOf("agents")

/** What is wrong, without the file's name before it. */
const withoutName = (path: string, text: string): string => {
  const start = `${basename(path)}: `
  return text.startsWith(start) ? text.slice(start.length) : text
}

/** A file that everybody may write is refused when it is read; these are the ways that are left. */
const ownerChecks = (path: string): ReadonlyArray<Check> => {
  const stat = Result.getOrNull(Result.try(() => statSync(path)))
  if (stat === null) return []
  const names = "it names commands that run as this user"
  return [
    ...((stat.mode & 0o020) === 0 ? [] : [warning(path, `can be written by its group: ${names}`, `chmod g-w ${path}`)]),
    ...(stat.uid === 0 || stat.uid === process.geteuid?.()
      ? []
      : [warning(path, `belongs to user ${stat.uid}: ${names}`, "chown it, unless that user is to decide")])
  ]
}

export const controlChecks = ({ config, control }: Examined): ReadonlyArray<Check> => {
  const name = basename(control.path)
  switch (control._tag) {
    case "Absent": {
      if (control.required) {
        return [
          error("TINYSCHEDULER_AGENT_CONTROL_FILE", `there is no ${control.path}`, "write one; init and --fix can")
        ]
      }
      return config.desired.agents.length === 0
        ? [
            warning(
              name,
              "is not there, and TINYSCHEDULER_AGENT_LIMITS names no agent: nothing can start",
              "tinyscheduler init asks for your agents, --fix writes one to begin with"
            )
          ]
        : [
            warning(
              name,
              `is not there: legacy mode, tasks are taken only by the agent they are assigned to`,
              "write one to serve queues"
            )
          ]
    }
    case "Broken":
      return control.faults.map((fault) => error(name, withoutName(control.path, fault), `correct ${control.path}`))
    case "Read": {
      const queues = new Set(config.desired.agents.flatMap((agent) => agent.queues)).size
      return [
        ok(name, `is ${control.path}: ${counted(config.desired.agents.length, "agent")}, ${counted(queues, "queue")}`),
        ...ownerChecks(control.path),
        ...config.warnings.map((text) => warning(name, withoutName(control.path, text), "correct or remove it"))
      ]
    }
  }
}
