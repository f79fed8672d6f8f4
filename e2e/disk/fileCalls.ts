/**
 * The file calls of one real process, seen and broken from outside with strace: a traced run lists each call on a path of
 * the state, a later run makes one of them fail. Only the main thread is traced: it makes every file call that matters.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

/** What a disk can do to a call. */
export const diskErrors = ["EIO", "ENOSPC", "EROFS", "EACCES"] as const
export type DiskError = (typeof diskErrors)[number]

const reading: ReadonlyArray<DiskError> = ["EIO", "EACCES"]
const naming: ReadonlyArray<DiskError> = ["EIO", "ENOSPC", "EROFS", "EACCES"]

/** The calls of a pass or supervisor that reach a file system, and what each may be told by it. */
const errorsOfCall: Readonly<Record<string, ReadonlyArray<DiskError>>> = {
  openat: naming,
  mkdir: naming,
  link: naming,
  rename: naming,
  unlink: ["EIO", "EROFS", "EACCES"],
  rmdir: ["EIO", "EROFS", "EACCES"],
  write: ["EIO", "ENOSPC"],
  pwrite64: ["EIO", "ENOSPC"],
  ftruncate: ["EIO", "ENOSPC"],
  fsync: ["EIO", "ENOSPC"],
  close: ["EIO"],
  read: ["EIO"],
  getdents64: ["EIO"],
  statx: reading,
  newfstatat: reading,
  access: reading
}

/** One call of a run. */
export interface FileCall {
  readonly name: string
  /** Every path that it is about, below the base path, with what differs from run to run put into words. */
  readonly paths: ReadonlyArray<string>
  /** The how-many-eth call of this name on the first of its paths. */
  readonly time: number
  /** It opens for reading: a file system that is full or read-only has nothing against it. */
  readonly reads: boolean
  readonly injected: boolean
}

/** One call, by what it is and not by when it comes. */
export const keyOf = ({ name, paths, time }: FileCall): string => `${name} ${paths.join(" ")} #${time}`

export const errorsOf = ({ name, reads }: FileCall): ReadonlyArray<DiskError> =>
  reads ? reading : (errorsOfCall[name] ?? [])

/** One way in which one call fails. */
export interface Fault {
  readonly call: FileCall
  readonly error: DiskError
}

export const faultName = ({ call, error }: Fault): string => `${error} at ${keyOf(call)}`

/** Every fault that a traced run could have met. */
export const faultsOf = (calls: ReadonlyArray<FileCall>): ReadonlyArray<Fault> =>
  calls.flatMap((call) => errorsOf(call).map((error) => ({ call, error })))

/**
 * A sample that is the same in every run and reaches over the whole of it: of calls that repeat the first and the last,
 * and of those every so many-eth.
 */
export const sampleOf = (faults: ReadonlyArray<Fault>, most: number): ReadonlyArray<Fault> => {
  const placeOf = ({ call }: Fault): string => `${call.name} ${call.paths.join(" ")}`
  const last = new Map(faults.map((fault) => [placeOf(fault), fault.call.time]))
  const edges = faults.filter((fault) => fault.call.time === 1 || fault.call.time === last.get(placeOf(fault)))
  const step = Math.max(1, edges.length / most)
  return Array.from({ length: Math.min(most, edges.length) }, (_, index) => edges[Math.floor(index * step)]).filter(
    (fault) => fault !== undefined
  )
}

/** Null where processes may be traced; else what is missing. */
export const tracingMissing = (): string | null => {
  const run = spawnSync("strace", ["-o", "/dev/null", "-e", "trace=none", "true"], { stdio: "ignore" })
  if (run.error !== undefined) return "strace is not installed"
  return run.status === 0 ? null : "strace may trace nothing here"
}

/**
 * Temporary files are named after their writer, whose pid and start are not known before: a shell that becomes the writer
 * puts them in.
 */
const become = `writer=$$-$(cut -d' ' -f22 /proc/$$/stat)
path=$(printf %s "$1" | sed "s/WRITER/$writer/")
shift
if [ -n "$path" ]; then set -- -P "$path" "$@"; fi
exec strace -D -q -y "$@"`

export interface Tracing {
  readonly base: string
  readonly log: string
  readonly fault: Fault | null
  /** By task, the token of its lease: it is part of the name under which a lease is deleted. */
  readonly tokenOf: (task: number) => string
}

/** The command that runs another under strace, as the same process; its calls go into the log. */
export const traced = (
  { base, fault, log, tokenOf }: Tracing,
  command: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const below = fault?.call.paths[0]?.replace(/TOKEN(?=\.task_(\d+))/, (_, task: string) => tokenOf(Number(task)))
  const path = below === undefined ? "" : `${base}/${below}`
  const inject = fault === null ? [] : ["-e", `inject=${fault.call.name}:error=${fault.error}:when=${fault.call.time}`]
  const calls = `trace=${Object.keys(errorsOfCall).join(",")}`
  return ["/bin/sh", "-c", become, "sh", path, "-o", log, "-e", calls, ...inject, ...command]
}

const linePattern = /^([a-z0-9_]+)\((.*)$/
const byPath = new Set(["openat", "mkdir", "link", "rename", "unlink", "rmdir", "access", "statx", "newfstatat"])

/** The paths that a call names, or the path of the descriptor that it is about. */
const pathsOf = (name: string, rest: string): ReadonlyArray<string> => {
  const named = byPath.has(name) ? [...rest.matchAll(/"(\/[^"]*)"/g)].flatMap(([, path]) => path ?? []) : []
  if (named.length > 0) return named
  const descriptor = /^\d+<([^>]+)>/.exec(rest)?.[1]
  return descriptor === undefined ? [] : [descriptor]
}

const withoutChance = (path: string): string =>
  path.replace(/\.tmp-[0-9]+-[0-9]+-/, ".tmp-WRITER-").replace(/-remove\.[0-9a-f-]{36}\./, "-remove.TOKEN.")

/** The calls of a traced run on paths of the state. */
export const readCalls = (log: string, base: string): ReadonlyArray<FileCall> => {
  if (!existsSync(log)) return []
  const times = new Map<string, number>()
  return readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, name, rest] = linePattern.exec(line) ?? []
      if (name === undefined || rest === undefined) return []
      const paths = pathsOf(name, rest)
        .filter((path) => path.startsWith(`${base}/state`))
        .map((path) => withoutChance(path.slice(base.length + 1)))
      const counts = new Set(paths)
      for (const path of counts) times.set(`${name} ${path}`, (times.get(`${name} ${path}`) ?? 0) + 1)
      if (paths.length === 0) return []
      const reads = name === "openat" && !/O_WRONLY|O_RDWR|O_CREAT/.test(rest)
      const time = times.get(`${name} ${paths[0]}`) ?? 1
      return [{ name, paths, time, reads, injected: line.includes("(INJECTED)") }]
    })
}
