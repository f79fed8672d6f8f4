/**
 * A pid namespace of a test's own: pids there are few, nobody else starts processes, and which pid comes next can be
 * told to the kernel, so that a pid is used again at will.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import type { Ground } from "./Ground.ts"
import { signal, startOf } from "./processes.ts"
import { type Ended, fixture, launch, program } from "./program.ts"
import { until } from "./until.ts"

/** Why there can be no such namespace here; null where there can. */
export const noPidNamespace = ((): string | null => {
  const script = "echo 1 >/proc/sys/kernel/ns_last_pid && exec env --ignore-signal=CHLD true"
  const tried = spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "sh", "-c", script], { stdio: "ignore" })
  if (tried.error !== undefined) return "there is no unshare(1)"
  return tried.status === 0 ? null : "no pid namespace can be made here, or its last pid not be set"
})()

export interface PidNamespace {
  /** Runs a command in it, in the ground's base path. */
  readonly run: (command: ReadonlyArray<string>) => Promise<Ended>
  readonly cli: (args: ReadonlyArray<string>) => Promise<Ended>
  readonly kill: (pid: number, signal: NodeJS.Signals) => Promise<void>
  /** Starts a bystander under this pid, once that is free. */
  readonly takePid: (pid: number, kind: "plain" | "leader" | "follower") => Promise<Stranger>
}

export interface Stranger {
  /** What happened to it: nothing, unless somebody touched it. */
  readonly harm: () => ReadonlyArray<string>
  readonly end: () => Promise<void>
}

/** Who loses his parent is this one's child; the kernel buries the children of whoever ignores their end. */
const firstProcess = ["env", "--ignore-signal=CHLD", "sleep", "infinity"]

export const makePidNamespace = async (ground: Ground): Promise<PidNamespace> => {
  const holder = spawn("unshare", ["--pid", "--fork", "--mount-proc", "--kill-child", ...firstProcess], {
    stdio: "ignore",
    env: ground.environment()
  })
  const first = await until("the namespace has its first process", () => childrenOf(holder.pid ?? 0)[0])
  const enter = ["nsenter", "--target", String(first), "--pid", "--mount", "--"]
  const here = ["sh", "-c", 'cd "$0" && exec "$@"', ground.base]
  const run = (command: ReadonlyArray<string>): Promise<Ended> =>
    launch({ command: [...enter, ...here, ...command], cwd: ground.base, env: ground.environment() }).ended
  const mustRun = async (command: ReadonlyArray<string>): Promise<void> => {
    const { code, stderr } = await run(command)
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${stderr}`)
  }
  const kill = (pid: number, signal: NodeJS.Signals) => mustRun(["kill", `-${signal.slice(3)}`, String(pid)])
  let taken = 0
  const takePid = async (pid: number, kind: "plain" | "leader" | "follower"): Promise<Stranger> => {
    const note = ground.path(`stranger.${(taken += 1)}`)
    await mustRun(["sh", fixture("takePid.sh"), String(pid), note, kind])
    const inside = Number(readFileSync(`${note}.pid`, "utf8"))
    const seen = outerPid(ground, inside)
    const start = startOf(seen)
    return {
      harm: () => [
        ...(existsSync(`${note}.signals`) ? readFileSync(`${note}.signals`, "utf8").trimEnd().split("\n") : []),
        ...(startOf(seen) === start ? [] : ["it is dead"])
      ],
      end: async () => {
        // It ends by itself once its child is gone.
        for (const child of childrenOf(seen)) signal({ pid: child, start: startOf(child) ?? "" }, "SIGKILL")
        await until("the bystander is gone", () => startOf(seen) === null)
      }
    }
  }
  return { run, cli: (args) => run([process.execPath, "--", program, ...args]), kill, takePid }
}

const childrenOf = (pid: number): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)

/** The pid that a process of the namespace has for us. */
const outerPid = (ground: Ground, inside: number): number => {
  const found = ground.processes().find(({ pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8")
    return new RegExp(`^NSpid:\\s+${pid}\\s+${inside}$`, "m").test(status)
  })
  if (found === undefined) throw new Error(`there is no process ${inside} in the namespace`)
  return found.pid
}
