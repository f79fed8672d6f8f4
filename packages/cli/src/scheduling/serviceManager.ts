/**
 * What systemd is told of a daemon (sd_notify(3)): that it is ready, what it is doing, that it still turns. Node can't
 * send to the manager's datagram socket, so systemd's own `systemd-notify` does; the unit says NotifyAccess=all for it.
 */
import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import { escapeText } from "../output/escape.ts"

export interface ServiceManager {
  readonly ready: Effect.Effect<void>
  readonly status: (text: string) => Effect.Effect<void>
  /** Half of the time after which the manager takes us for hung; null where it doesn't watch. */
  readonly beatMs: number | null
  readonly beat: Effect.Effect<void>
  readonly stopping: Effect.Effect<void>
}

const nobody: ServiceManager = {
  ready: Effect.void,
  status: () => Effect.void,
  beatMs: null,
  beat: Effect.void,
  stopping: Effect.void
}

type Environment = Readonly<Record<string, string | undefined>>

/** How long systemd-notify may take; a pass waits for it. */
const sendTimeoutMs = 5000

/** A watchdog that wants to hear more often than this can't be served by starting a program for each beat. */
const beatMinMs = 50

interface Sender {
  readonly socket: string
  readonly environment: Environment
  readonly timeoutMs: number
}

const send = ({ environment, socket, timeoutMs }: Sender, assignments: ReadonlyArray<string>) =>
  Effect.callback<string | null>((resume) => {
    const env = { PATH: environment["PATH"] ?? "/usr/bin:/bin", NOTIFY_SOCKET: socket }
    const options = { env, timeout: timeoutMs, killSignal: "SIGKILL" } as const
    const child = execFile("systemd-notify", [...assignments], options, (error) => {
      resume(Effect.succeed(error === null ? null : error.message))
    })
    return Effect.sync(() => void child.kill())
  })

/** Half of WATCHDOG_USEC, when it is meant for this process. */
const beatOf = (environment: Environment, pid: number): number | null => {
  const microseconds = Number(environment["WATCHDOG_USEC"] ?? "")
  const meant = environment["WATCHDOG_PID"]
  if (!Number.isFinite(microseconds) || microseconds <= 0) return null
  return meant === undefined || meant === String(pid) ? Math.max(beatMinMs, Math.floor(microseconds / 2000)) : null
}

/** Silent where no manager listens (NOTIFY_SOCKET is not set). What can't be told is told once as a warning. */
export const makeServiceManager = (
  environment: Environment,
  pid: number,
  timeoutMs = sendTimeoutMs
): ServiceManager => {
  const socket = environment["NOTIFY_SOCKET"]
  if (socket === undefined || socket === "") return nobody
  let warned = false
  let lastStatus = ""
  const tell = Effect.fn("serviceManager.tell")(function* (assignments: ReadonlyArray<string>) {
    const problem = yield* send({ socket, environment, timeoutMs }, assignments)
    if (problem === null || warned) return
    warned = true
    yield* Effect.logWarning(`systemd could not be told (${escapeText(problem)}); is systemd-notify there?`)
  })
  return {
    ready: tell(["READY=1", "STATUS=ready"]),
    status: (text) =>
      Effect.suspend(() => {
        const line = escapeText(text)
        if (line === lastStatus) return Effect.void
        lastStatus = line
        return tell([`STATUS=${line}`])
      }),
    beatMs: beatOf(environment, pid),
    beat: tell(["WATCHDOG=1"]),
    stopping: tell(["STOPPING=1", "STATUS=ending; agents go on"])
  }
}
