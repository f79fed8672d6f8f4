/** Supervisors apart from the pass that starts them: their orders are kept, and given to the real program when it is due. */
import { spawn } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { launch } from "../harness/program.ts"
import { until } from "../harness/until.ts"
import type { Stage } from "./Stage.ts"
import type { Command } from "./tracing.ts"

const preload = fileURLToPath(new URL("withheld.cjs", import.meta.url))

const programOf = (stage: Stage): string => {
  const name = stage.names("state").find((file) => file.startsWith("supervisor-"))
  if (name === undefined) throw new Error("no pass has placed a supervisor's program yet")
  return stage.path(`state/${name}`)
}

/** Makes a pass whose supervisors keep their orders and do nothing else. */
export const passWithheld = async (stage: Stage): Promise<void> => {
  const { argv, cwd, env } = stage.passCommand
  const made = await launch({ command: argv, cwd, env: { ...env, NODE_OPTIONS: `--require=${preload}` } }).ended
  if (made.code !== 0) throw new Error(`the pass exited ${made.code}: ${made.stderr}`)
  await until("the orders are kept and nothing lives", () => {
    const leases = stage.leases()
    const areKept = leases.length > 0 && leases.every((lease) => existsSync(orderPath(stage, lease)))
    return areKept && stage.living().length === 0
  })
}

const orderPath = (stage: Stage, { epoch, task_id }: { readonly epoch: number; readonly task_id: number }): string =>
  stage.path(`orders/${task_id}.${epoch}`)

const onlyLease = (stage: Stage) => {
  const [lease, ...others] = stage.leases()
  if (lease === undefined || others.length > 0) throw new Error("there should be one lease")
  return lease
}

/** The command that starts the supervisor of the one lease, as the launcher does. */
export const supervisorCommand = (stage: Stage): Command => {
  const lease = onlyLease(stage)
  return {
    argv: [process.execPath, programOf(stage)],
    cwd: "/",
    env: { ...stage.environment, TINYSCHEDULER_LEASE: lease.token },
    input: readFileSync(orderPath(stage, lease), "utf8")
  }
}

/** Starts it, untraced, and waits until its agent is ready for whatever comes; answers its pid. */
export const startSupervisor = async (stage: Stage): Promise<number> => {
  const { argv, cwd, env, input } = supervisorCommand(stage)
  const [file = "", ...args] = argv
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ["pipe", "ignore", "ignore"] })
  child.stdin.end(input)
  child.unref()
  const { epoch } = onlyLease(stage)
  await until("its agent is ready", () => stage.notes().some((note) => note.what === "ready" && note.epoch === epoch))
  await stage.becomes("running")
  if (child.pid === undefined) throw new Error("the supervisor could not be started")
  return child.pid
}

/** As if the starts had been made so much earlier. */
export const ageStarts = (stage: Stage, seconds: number): void => {
  for (const lease of stage.leases()) {
    const start_mono_ms = lease.start_mono_ms - seconds * 1000
    const path = stage.path(`state/running/task_${lease.task_id}.json`)
    writeFileSync(path, JSON.stringify({ ...lease, start_mono_ms }, null, 2))
    const orderFile = orderPath(stage, lease)
    if (!existsSync(orderFile)) continue
    const order: { readonly lease: object } = JSON.parse(readFileSync(orderFile, "utf8"))
    writeFileSync(orderFile, JSON.stringify({ ...order, lease: { ...order.lease, start_mono_ms } }))
  }
}
