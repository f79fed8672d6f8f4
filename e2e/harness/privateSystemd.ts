/** A systemd of one test's own that runs the units of deploy/; it ends with the test, and with it all that it started. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { onTestFinished } from "vitest"
import type { Ground } from "./Ground.ts"
import { startOf } from "./processes.ts"
import { fixture, launch } from "./program.ts"
import type { Ended } from "./program.ts"
import { until } from "./until.ts"

const systemd = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"].find((path) => existsSync(path))

/** What units refer to; there is nothing behind these names that a test would want to start. */
const targets = ["basic", "default", "multi-user", "network-online", "shutdown", "sysinit", "timers"]

/** A directory with nothing but those names. */
export const makeUnitDirectory = (path: string): string => {
  mkdirSync(path, { recursive: true })
  for (const target of targets) writeFileSync(`${path}/${target}.target`, "[Unit]\nDefaultDependencies=no\n")
  return path
}

/** The test's own place in the tree of cgroups, under which it may make more. */
const ownCgroup = (): string => {
  const mount = existsSync("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified"
  const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/"
  return join(mount, path)
}

const below = (directory: string): ReadonlyArray<string> => [
  ...readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => below(join(directory, name))),
  directory
]

/** Ends what is in a cgroup and below it, by pid, then takes the cgroup away. */
const endCgroup = async (cgroup: string): Promise<void> => {
  await until(`nothing runs in ${cgroup}`, () => {
    const pids = below(cgroup)
      .flatMap((directory) => readFileSync(`${directory}/cgroup.procs`, "utf8").split("\n"))
      .map(Number)
      .filter((pid) => pid !== 0 && startOf(pid) !== null)
    for (const pid of pids) process.kill(pid, "SIGKILL")
    return pids.length === 0
  })
  for (const directory of below(cgroup)) await until(`${directory} is empty`, () => removed(directory))
}

/** A cgroup is busy until the last of its dead has been waited for. */
const removed = (directory: string): boolean => {
  try {
    rmdirSync(directory)
    return true
  } catch {
    return false
  }
}

export class PrivateSystemd {
  readonly units: string
  readonly #runtime: string
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
    this.units = makeUnitDirectory(ground.path("units"))
    this.#runtime = ground.path("run")
    mkdirSync(this.#runtime)
    // Units run as another user, who must get through to their files and to the manager's socket.
    for (const path of [ground.base, this.#runtime, this.units]) chmodSync(path, 0o755)
  }

  get environment(): Readonly<Record<string, string>> {
    return this.#ground.environment({ XDG_RUNTIME_DIR: this.#runtime, SYSTEMD_UNIT_PATH: this.units })
  }

  async answers(): Promise<boolean> {
    return (await this.systemctl("is-active", "basic.target")).code === 0
  }

  /** The system's manager listens to all; whom it believes is NotifyAccess' matter. */
  listenToAll(): void {
    chmodSync(`${this.#runtime}/systemd/notify`, 0o777)
  }

  systemctl(...args: ReadonlyArray<string>): Promise<Ended> {
    return launch({ command: ["systemctl", "--user", ...args], cwd: this.#ground.base, env: this.environment }).ended
  }

  /** As systemctl, which must succeed. */
  async does(...args: ReadonlyArray<string>): Promise<void> {
    const { code, stderr } = await this.systemctl(...args)
    if (code !== 0) throw new Error(`systemctl ${args.join(" ")}: exit code ${code}: ${stderr}`)
  }

  /** Properties of a unit, by name. */
  async show(unit: string): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await this.systemctl("show", unit)
    return Object.fromEntries(
      stdout.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
    )
  }

  async mainPid(unit: string): Promise<number> {
    return Number((await this.show(unit))["MainPID"] ?? 0)
  }
}

/** The manager, or in one sentence why there can be none on this machine. */
export const startSystemd = async (ground: Ground): Promise<PrivateSystemd | string> => {
  if (systemd === undefined) return "systemd is not installed"
  if (process.getuid?.() !== 0) return "a systemd of one's own takes root, for its namespaces"
  const cgroup = join(ownCgroup(), basename(ground.base))
  try {
    mkdirSync(cgroup)
  } catch (error) {
    return `no cgroup can be made here: ${String(error)}`
  }
  onTestFinished(() => endCgroup(cgroup))
  const manager = new PrivateSystemd(ground)
  const running = launch({
    command: ["sh", fixture("privateSystemd.sh")],
    cwd: "/",
    env: { ...manager.environment, CGROUP: cgroup, SYSTEMD: systemd }
  })
  const isOver = () => running.child.exitCode !== null
  await until("systemd answers, or has given up", async () => isOver() || manager.answers())
  if (isOver()) return `systemd does not start here: ${running.said().stderr.trim()}`
  manager.listenToAll()
  return manager
}
