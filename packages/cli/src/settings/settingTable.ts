/**
 * Every setting: its variable, its flag, how its text is read, its default. The one table from which flags, --help,
 * `config --show` and the reference page come.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Struct from "effect/Struct"
import * as values from "./values.ts"

export interface Setting<A> {
  /** Without the prefix TINYSCHEDULER_. */
  readonly variable: string
  readonly flag: string
  readonly description: string
  /** Null = nobody gave it and it has no default. */
  readonly read: (text: string | null) => Result.Result<A, string>
  /** The text that is read when nobody gives one. */
  readonly standard: Option.Option<string>
  readonly kind: "text" | "path" | "truth" | "secret"
  /** Holds for a process's life: a reload that changes it is refused. Every other setting is taken on reload. */
  readonly fixed: boolean
}

const setting = <A>(
  variable: string,
  flag: string,
  read: values.Reader<A>,
  standard: string,
  description: string,
  kind: Setting<A>["kind"] = "text"
): Setting<A> => ({
  variable,
  flag,
  read: (text) => read(text ?? standard),
  standard: Option.some(standard),
  description,
  kind,
  fixed: false
})

const optional = <A>(
  variable: string,
  flag: string,
  read: values.Reader<A>,
  description: string,
  kind: Setting<A>["kind"] = "text"
): Setting<A | null> => ({
  variable,
  flag,
  read: (text) => (text === null ? Result.succeed(null) : read(text)),
  standard: Option.none(),
  description,
  kind,
  fixed: false
})

const fixed = <A>(changeable: Setting<A>): Setting<A> => ({ ...changeable, fixed: true })

export const prefix = "TINYSCHEDULER_"

export const settingTable = {
  basePath: fixed(
    setting("BASE_PATH", "base-path", values.text, ".", "Directory that every relative path is under", "path")
  ),
  runningDir: fixed(setting("RUNNING_DIR", "running-dir", values.text, "state/running", "Where leases stand", "path")),
  logDir: fixed(setting("LOG_DIR", "log-dir", values.text, "state/logs", "Where logs stand", "path")),
  recipesDir: setting("RECIPES_DIR", "recipes-dir", values.text, "recipes", "Where Goose's recipes stand", "path"),
  lockFile: fixed(
    setting("LOCK_FILE", "lock-file", values.text, "state/tinyscheduler.lock", "The scheduler's lock", "path")
  ),
  agentControlFile: optional(
    "AGENT_CONTROL_FILE",
    "agent-control-file",
    values.text,
    "Agents and their queues (default: agent-control.json, else docs/technical/agent-control.json)",
    "path"
  ),
  agentLimits: setting("AGENT_LIMITS", "agent-limits", values.agentCounts, "", 'Slots by agent: {"a": 1} or a:1,b:2'),
  queueLimits: setting("QUEUE_LIMITS", "queue-limits", values.queueCounts, "", "Most at once by queue, same forms"),
  defaultSlots: setting("DEFAULT_SLOTS", "default-slots", values.wholeNumber(0, 10_000), "1", "Slots of other agents"),
  maxConcurrent: setting("MAX_CONCURRENT", "max-concurrent", values.limit, "unlimited", "Most agents at once in all"),
  gooseBin: setting("GOOSE_BIN", "goose-bin", values.text, "goose", "Goose, looked up on PATH without a slash"),
  mcpEndpoint: fixed(
    setting("MCP_ENDPOINT", "mcp-endpoint", values.address, "http://localhost:3000", "Tinytask's address")
  ),
  mcpToken: optional("MCP_TOKEN", "mcp-token", values.text, "Bearer token for a reverse proxy", "secret"),
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
    "Allow plain http to another machine",
    "truth"
  ),
  loopIntervalSec: setting("LOOP_INTERVAL_SEC", "loop-interval", values.seconds(1), "60", "Seconds between passes"),
  heartbeatSec: setting("HEARTBEAT_SEC", "heartbeat", values.seconds(1), "15", "Seconds between beats of a supervisor"),
  maxRuntimeSec: setting("MAX_RUNTIME_SEC", "max-runtime", values.seconds(), "3600", "Longest run in seconds; 0 = any"),
  idleTimeoutSec: setting(
    "IDLE_TIMEOUT_SEC",
    "idle-timeout",
    values.secondsOrOff,
    "off",
    "Longest silence of an agent (accepted, not yet acted on)"
  ),
  stopGraceSec: setting("STOP_GRACE_SEC", "stop-grace", values.seconds(), "10", "Seconds between two rungs of a stop"),
  unknownLostSec: setting(
    "UNKNOWN_LOST_SEC",
    "unknown-lost",
    values.seconds(),
    "300",
    "Give up an attempt of unknown liveness after this many seconds; 0 = never"
  ),
  maxAttempts: setting("MAX_ATTEMPTS", "max-attempts", values.wholeNumber(1, 10_000), "3", "Failures before parking"),
  maxLost: setting("MAX_LOST", "max-lost", values.wholeNumber(1, 10_000), "10", "Lost attempts before parking"),
  backoffBaseSec: setting("BACKOFF_BASE_SEC", "backoff-base", values.seconds(), "30", "Wait after a first failure"),
  backoffMaxSec: setting("BACKOFF_MAX_SEC", "backoff-max", values.seconds(), "3600", "Longest wait after a failure"),
  order: setting("ORDER", "order", values.oneOf(["blockers", "priority"]), "blockers", "What starts first"),
  parents: setting("PARENTS", "parents", values.oneOf(["wait", "run"]), "wait", "Parents of open subtasks"),
  disableBlocking: setting(
    "DISABLE_BLOCKING",
    "disable-blocking",
    values.truth,
    "false",
    "Ignore blocking, keep the server's order",
    "truth"
  ),
  logLevel: setting("LOG_LEVEL", "log-level", values.logLevel, "INFO", "Least level"),
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
  ),
  dryRun: setting("DRY_RUN", "dry-run", values.truth, "false", "Say what would be done, and do nothing", "truth"),
  enabled: setting(
    "ENABLED",
    "enabled",
    values.truth,
    "true",
    "false: observe, finish and stop, start nothing",
    "truth"
  )
} as const

export type SettingTable = typeof settingTable
export type SettingKey = keyof SettingTable

/** The value of each setting. */
export type Settings = {
  readonly [K in SettingKey]: SettingTable[K] extends Setting<infer A> ? A : never
}

export const settingKeys: ReadonlyArray<SettingKey> = Struct.keys(settingTable)

/** Variables of the Python version that mean nothing any more. */
export const unusedVariables: ReadonlyArray<string> = ["BIN_DIR", "TASK_CACHE_DIR"]

/** Variables that we give to agents: not settings when they are found in our own environment. */
export const agentVariables: ReadonlyArray<string> = ["TASK_ID", "AGENT", "ATTEMPT", "EPOCH", "LEASE"]
