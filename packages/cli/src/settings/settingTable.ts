/**
 * Every setting, by what it is about. The one table from which flags, --help, `config --show`, the reference page and the
 * example file come.
 */
import * as Struct from "effect/Struct"
import { agentCounts, queueCounts } from "./counts.ts"
import { fixed, optional, setting } from "./setting.ts"
import type { Setting } from "./setting.ts"
import * as values from "./values.ts"

export { nameOf, prefix } from "./setting.ts"
export type { Setting } from "./setting.ts"

const paths = {
  basePath: fixed(
    setting("BASE_PATH", "base-path", values.path, ".", "Directory that every relative path is under; it must be there")
  ),
  runningDir: fixed(
    setting(
      "RUNNING_DIR",
      "running-dir",
      values.path,
      "state/running",
      "Where leases stand; its parent holds the rest of the state"
    )
  ),
  logDir: fixed(
    setting("LOG_DIR", "log-dir", values.path, "state/logs", "Where the logs of scheduler and attempts stand")
  ),
  recipesDir: setting("RECIPES_DIR", "recipes-dir", values.path, "recipes", "Where Goose's recipes stand"),
  lockFile: fixed(
    setting("LOCK_FILE", "lock-file", values.path, "state/tinyscheduler.lock", "The file whose lock a scheduler holds")
  ),
  agentControlFile: optional(
    "AGENT_CONTROL_FILE",
    "agent-control-file",
    values.path,
    "Agents and their queues (default: agent-control.json, else docs/technical/agent-control.json)"
  )
}

const agents = {
  agentLimits: setting("AGENT_LIMITS", "agent-limits", agentCounts, "", "Slots by agent, where its entry names none"),
  queueLimits: setting("QUEUE_LIMITS", "queue-limits", queueCounts, "", "Most attempts at once, by queue"),
  defaultSlots: setting("DEFAULT_SLOTS", "default-slots", values.wholeNumber(0, 10_000), "1", "Slots of other agents"),
  maxConcurrent: setting("MAX_CONCURRENT", "max-concurrent", values.limit, "unlimited", "Most attempts at once in all"),
  gooseBin: setting(
    "GOOSE_BIN",
    "goose-bin",
    values.program,
    "goose",
    "Goose: a name is looked up on PATH, a path is under the base path"
  )
}

const tinytask = {
  mcpEndpoint: fixed(
    setting("MCP_ENDPOINT", "mcp-endpoint", values.address, "http://localhost:3000", "Tinytask's address")
  ),
  mcpToken: optional(
    "MCP_TOKEN",
    "mcp-token",
    values.token,
    "Bearer token for a reverse proxy; a flag shows it to others"
  ),
  mcpTimeoutSec: setting(
    "MCP_TIMEOUT_SEC",
    "mcp-timeout",
    values.wholeNumber(1, 3600),
    "10",
    "Seconds to wait for an answer of Tinytask; three times as long for a list"
  ),
  allowInsecure: setting(
    "ALLOW_INSECURE",
    "allow-insecure",
    values.truth,
    "false",
    "Allow plain http to another machine"
  )
}

const timing = {
  loopIntervalSec: setting(
    "LOOP_INTERVAL_SEC",
    "loop-interval",
    values.seconds(1),
    "60",
    "Seconds between passes of a daemon"
  ),
  heartbeatSec: setting("HEARTBEAT_SEC", "heartbeat", values.seconds(1), "15", "Seconds between beats of a supervisor"),
  maxRuntimeSec: setting(
    "MAX_RUNTIME_SEC",
    "max-runtime",
    values.seconds(),
    "3600",
    "Longest run of an attempt in seconds; 0 = any"
  ),
  idleTimeoutSec: setting(
    "IDLE_TIMEOUT_SEC",
    "idle-timeout",
    values.secondsOrOff,
    "off",
    "Longest silence of an agent in seconds"
  ),
  stopGraceSec: setting("STOP_GRACE_SEC", "stop-grace", values.seconds(), "10", "Seconds between two rungs of a stop"),
  unknownLostSec: setting(
    "UNKNOWN_LOST_SEC",
    "unknown-lost",
    values.seconds(),
    "300",
    "Give up an attempt of unknown liveness after this many seconds; 0 = never"
  )
}

const retries = {
  maxAttempts: setting(
    "MAX_ATTEMPTS",
    "max-attempts",
    values.wholeNumber(1, 10_000),
    "3",
    "Failures after which a task is parked"
  ),
  maxLost: setting(
    "MAX_LOST",
    "max-lost",
    values.wholeNumber(1, 10_000),
    "10",
    "Lost attempts after which a task is parked"
  ),
  backoffBaseSec: setting(
    "BACKOFF_BASE_SEC",
    "backoff-base",
    values.seconds(),
    "30",
    "Seconds that a task waits after its first failure; doubled with each"
  ),
  backoffMaxSec: setting(
    "BACKOFF_MAX_SEC",
    "backoff-max",
    values.seconds(),
    "3600",
    "Most seconds that a task waits after a failure"
  )
}

const decisions = {
  order: setting(
    "ORDER",
    "order",
    values.oneOf(["blockers", "priority"]),
    "blockers",
    "What starts first: what others wait for, or what has the higher priority"
  ),
  parents: setting(
    "PARENTS",
    "parents",
    values.oneOf(["wait", "run"]),
    "wait",
    "Whether a parent of open subtasks waits or runs"
  ),
  disableBlocking: setting(
    "DISABLE_BLOCKING",
    "disable-blocking",
    values.truth,
    "false",
    "Ignore blocking, keep the server's order"
  )
}

const logs = {
  logLevel: setting("LOG_LEVEL", "log-level", values.logLevel, "INFO", "Least level of a line that is written"),
  logFormat: setting("LOG_FORMAT", "log-format", values.oneOf(["text", "json"]), "text", "Form of log lines"),
  logKeepDays: setting(
    "LOG_KEEP_DAYS",
    "log-keep-days",
    values.wholeNumber(1, 36_500),
    "14",
    "Days to keep logs of the scheduler and of ended attempts"
  ),
  logKeepMb: setting(
    "LOG_KEEP_MB",
    "log-keep-mb",
    values.wholeNumber(1, 1_000_000),
    "1024",
    "MiB that all logs together may take; the oldest go first"
  )
}

const records = {
  recordKeepDays: setting(
    "RECORD_KEEP_DAYS",
    "record-keep-days",
    values.wholeNumber(1, 36_500),
    "7",
    "Days to keep the records that replay reads"
  ),
  recordKeepMb: setting(
    "RECORD_KEEP_MB",
    "record-keep-mb",
    values.wholeNumber(0, 1_000_000),
    "64",
    "MiB that all records together may take; 0 = record nothing"
  )
}

const running = {
  // A daemon that is to do nothing from now on is told so by ENABLED; a dry run takes no lock in the first place.
  dryRun: fixed(setting("DRY_RUN", "dry-run", values.truth, "false", "Say what would be done, and do nothing")),
  enabled: setting("ENABLED", "enabled", values.truth, "true", "false: observe, finish and stop, start nothing"),
  requireApproval: setting(
    "REQUIRE_APPROVAL",
    "require-approval",
    values.anyOf(["starts", "stops"]),
    "none",
    "What waits until tinyscheduler apply approves a kept plan: starts, stops, both with a comma, or none"
  )
}

export const settingTable = {
  ...paths,
  ...agents,
  ...tinytask,
  ...timing,
  ...retries,
  ...decisions,
  ...logs,
  ...records,
  ...running
} as const

export type SettingTable = typeof settingTable
export type SettingKey = keyof SettingTable

/** The value of each setting. */
export type Settings = {
  readonly [K in SettingKey]: SettingTable[K] extends Setting<infer A> ? A : never
}

export const settingKeys: ReadonlyArray<SettingKey> = Struct.keys(settingTable)

export interface SettingGroup {
  readonly title: string
  readonly keys: ReadonlyArray<SettingKey>
}

/** The table by what its settings are about; each setting is in one group. */
export const settingGroups: ReadonlyArray<SettingGroup> = [
  { title: "Paths", keys: Struct.keys(paths) },
  { title: "Agents and limits", keys: Struct.keys(agents) },
  { title: "Tinytask", keys: Struct.keys(tinytask) },
  { title: "Timing", keys: Struct.keys(timing) },
  { title: "Retries", keys: Struct.keys(retries) },
  { title: "Decisions", keys: Struct.keys(decisions) },
  { title: "Logs", keys: Struct.keys(logs) },
  { title: "Records", keys: Struct.keys(records) },
  { title: "Running", keys: Struct.keys(running) }
]

/** Variables of the Python version that mean nothing any more. */
export const unusedVariables: ReadonlyArray<string> = ["BIN_DIR", "TASK_CACHE_DIR"]

/** Variables that we give to agents: not settings when they are found in our own environment. */
export const agentVariables: ReadonlyArray<string> = ["TASK_ID", "AGENT", "ATTEMPT", "EPOCH", "LEASE"]
