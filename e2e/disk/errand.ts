/**
 * The moment at which a pass is broken: one task has ended, one runs and must be left alone, one runs for too long, one
 * waits. After the broken pass the disk is whole again, and everything has to come to its end.
 */
import { readdirSync, readFileSync, lstatSync, existsSync } from "node:fs"
import { join } from "node:path"
import { makeGround } from "../harness/Ground.ts"
import type { Ground } from "../harness/Ground.ts"
import { isLiving } from "../harness/processes.ts"
import { fixture } from "../harness/program.ts"
import type { Ended } from "../harness/program.ts"
import { overlaps, runsOf } from "../harness/records.ts"
import { until } from "../harness/until.ts"

export const tasks = { ended: 1, held: 2, stuck: 3, waiting: 4 } as const

export const passFlags = ["run", "--once", "--backoff-base", "0", "--stop-grace", "5"] as const

const daemonFlags = ["run", "--daemon", "--loop-interval", "1", "--backoff-base", "0", "--stop-grace", "5"] as const

const writeAgents = (ground: Ground, stuckSec: number): void => {
  const command = ["/bin/sh", fixture("diskAgent.sh"), ground.record, ground.path("gate")]
  ground.agents([
    { agentName: "quick", agentType: "quick", command },
    { agentName: "held", agentType: "held", command },
    { agentName: "stuck", agentType: "stuck", command, maxRuntimeSec: stuckSec }
  ])
}

/** Agents for the four tasks, and their tasks as far as they are there from the beginning. */
export const prepare = async (): Promise<Ground> => {
  const ground = await makeGround()
  writeAgents(ground, 1)
  for (const queue of ["quick", "held", "stuck"]) await ground.tinytask.add({ queue })
  return ground
}

/** Brings the four tasks to the moment. */
export const bringAbout = async (ground: Ground): Promise<void> => {
  await ground.cli([...passFlags, ...ground.endpoint])
  const startedAt = Date.now()
  await ground.tinytask.add({ queue: "quick" })
  await until("one has ended and two run", () => {
    const phases = [tasks.ended, tasks.held, tasks.stuck].map((task) => ground.lease(task)?.phase)
    return phases.join() === "finished,running,running"
  })
  // One second is the run time that its entry allows.
  await until("one runs for too long", () => Date.now() - startedAt > 1200)
}

/** The tasks on which two agents worked at once; the stuck one notes that it was stopped, and ends. */
const workedTwice = (ground: Ground): ReadonlyArray<string> => {
  const lines = ground.lines().map((line) => (line.what === "stopped" ? { ...line, what: "end" } : line))
  return overlaps(runsOf(lines)).map(([{ task }]) => `two agents worked on task ${task} at once`)
}

/** Where the whole of a file decides, by what it holds. */
const tornIn = (path: string): ReadonlyArray<string> => {
  if (!existsSync(path)) return []
  if (lstatSync(path).isDirectory()) return readdirSync(path).flatMap((name) => tornIn(join(path, name)))
  if (/\/\.tmp-|\.(?:log|prompt|cjs|jsonl|lock|kept)$|\/state\/tmp\//.test(path)) return []
  try {
    JSON.parse(readFileSync(path, "utf8"))
    return []
  } catch {
    return [path]
  }
}

/** What may be true at no moment, whatever failed. Empty = all is well. */
export const violationsNow = (ground: Ground): ReadonlyArray<string> => {
  const held = ground.runs().filter(({ task }) => task === tasks.held)
  return [
    ...tornIn(ground.path("state")).map((path) => `${path} is torn`),
    ...workedTwice(ground),
    ...(held.every(({ pid }) => isLiving(pid)) ? [] : ["a healthy agent was ended"]),
    ...(existsSync(ground.path(`state/tmp/${tasks.held}.1`)) ? [] : ["the TMPDIR of a healthy agent was removed"]),
    ...(existsSync(ground.leasePath(tasks.held)) ? [] : ["the slot of a healthy agent was freed"])
  ]
}

const stackTrace = /^\s+at |node:internal|This is a fault of TinyScheduler/m
const cause = /\b(?:EIO|ENOSPC|EROFS|EACCES)\b/

/** Whether the pass did all that there was to do: the ended one told, the waiting one begun, the stuck one stopped. */
const didAll = (ground: Ground): boolean =>
  ground.outcomes(tasks.ended).length === 1 &&
  (ground.lease(tasks.waiting) !== null || ground.outcomes(tasks.waiting).length === 1) &&
  (ground.files("stops").some((name) => name.startsWith(`${tasks.stuck}.`)) ||
    ground.outcomes(tasks.stuck).length === 1)

/** What a pass that met a failing disk owes to whoever started it. */
export const unsaid = (ground: Ground, ended: Ended): ReadonlyArray<string> => {
  const { code, stderr, stdout } = ended
  const told = stderr.split("\n").some((line) => cause.test(line) && line.includes(ground.path("state")))
  return [
    ...(stackTrace.test(stderr) ? [`a stack trace was shown: ${stderr}`] : []),
    ...(code === 0 || code === 1 || code === 2 ? [] : [`it ended with ${code ?? ended.signal}: ${stderr}`]),
    ...(code === 0 && !told && !didAll(ground) ? [`silent success: ${stdout} ${stderr}`] : []),
    ...(code !== 0 && !told ? [`no sentence names path and cause: ${stderr}`] : [])
  ]
}

/** Lets everything come to its end with a whole disk; answers what did not end as it must. */
export const bringToEnd = async (ground: Ground): Promise<ReadonlyArray<string>> => {
  ground.write("gate", "")
  writeAgents(ground, 600)
  const daemon = ground.start([...daemonFlags, ...ground.endpoint])
  try {
    await until("everything is complete", () => {
      const left = ["running", "claims", "stops"].flatMap((directory) => ground.files(directory))
      return ground.tinytask.database.open() === 0 && left.length === 0
    })
  } catch (error) {
    return [`${error instanceof Error ? error.message : String(error)}; the daemon said: ${daemon.said().stderr}`]
  }
  daemon.kill("SIGTERM")
  await daemon.ended
  const completed = ground.tinytask.database.changes().filter(({ after }) => after === "complete")
  const ends = ground.lines().filter(({ what }) => what === "end")
  const litter = ["running", "claims", "stops", "attempts", ""].flatMap((directory) =>
    ground.files(directory).filter((name) => name.startsWith(".tmp-"))
  )
  return [
    ...Object.values(tasks).flatMap((task) => [
      ...(completed.filter((change) => change.task === task).length === 1
        ? []
        : [`task ${task} was not completed once`]),
      ...(ends.filter((line) => line.task === task).length === 1 ? [] : [`task ${task} was not done once`])
    ]),
    ...workedTwice(ground),
    ...(litter.length === 0 ? [] : [`temporary files were left: ${litter.join(" ")}`])
  ]
}
