/**
 * What reaches a supervisor and its agent of the scheduler's environment: nothing of ours, so neither secrets nor
 * settings; then the attempt's own. Plain Node: supervisor and launcher build it by the same lines.
 */
import * as os from "node:os"
import { tokenVariable } from "./Machine.ts"

type Environment = Readonly<Record<string, string | undefined>>

const ourPrefix = "TINYSCHEDULER_"

/** By these a service manager listens to its service; an agent that had them could speak for the scheduler. */
const managerVariables = new Set(["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"])

const withoutOurs = (environment: Environment): Record<string, string> => {
  const rest: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || name.startsWith(ourPrefix) || managerVariables.has(name)) continue
    rest[name] = value
  }
  return rest
}

/** cron and systemd may start us without it, and agents keep their settings there. */
const homeWhereUnset = (own: Environment): Record<string, string> => {
  if (own["HOME"] !== undefined) return {}
  try {
    return { HOME: os.userInfo().homedir }
  } catch {
    return {}
  }
}

/** The token is there from exec on, so that whatever the supervisor starts carries it from fork on. */
export const supervisorEnvironment = (own: Environment, token: string): Record<string, string> => ({
  ...homeWhereUnset(own),
  ...withoutOurs(own),
  [tokenVariable]: token
})

/** An agent's: what the launch says wins. */
export const agentEnvironment = (
  own: Environment,
  launch: Readonly<Record<string, string>>
): Record<string, string> => ({
  ...withoutOurs(own),
  ...launch
})

/** For a program that is only asked what it is: an agent's, less what belongs to an attempt. */
export const questionEnvironment = (
  own: Environment,
  launch: Readonly<Record<string, string>>
): Record<string, string> => ({
  ...homeWhereUnset(own),
  ...agentEnvironment(own, launch)
})
