/** What a process really sends: its kill(2) calls and those of its children, as strace sees them. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

/** Whether strace is here and may trace: containers often forbid it. */
export const canTrace = spawnSync("strace", ["-qq", "-e", "trace=none", "true"], { stdio: "ignore" }).status === 0

/** Put before a command line. */
export const tracingKills = (file: string): ReadonlyArray<string> => [
  ..."strace -f -qq -A -e trace=kill,tkill,tgkill,pidfd_send_signal -e signal=none -o".split(" "),
  file
]

export interface Sent {
  readonly pid: number
  readonly signal: string
}

/** Every signal that was sent, in order; signal 0 only asks. */
export const signalsSent = (file: string): ReadonlyArray<Sent> =>
  (existsSync(file) ? readFileSync(file, "utf8") : "").split("\n").flatMap((line) => {
    const call = /(?:kill|tkill|pidfd_send_signal)\((-?\d+), (?:\d+, )?(SIG\w+|\d+)/.exec(line)
    return call === null || call[2] === "0" ? [] : [{ pid: Number(call[1]), signal: call[2] ?? "" }]
  })
