/**
 * What another user of the machine put under the names that scheduler and supervisor write, read or run, while the
 * directory was open to him: links, second names, named pipes, files, directories. Whatever it is, nothing of it is
 * written through or executed, nothing outside changes, nobody hangs, and one sentence says what is wrong. Run a few at
 * a time before the tests, which only judge.
 */
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { endMarked, markedProcesses, markVariable } from "./harness/processes.ts"
import { fixture, launch, program } from "./harness/program.ts"
import type { Ended } from "./harness/program.ts"
import { readRecord } from "./harness/records.ts"
import { stackTrace, troublesOf } from "./harness/sentences.ts"
import { TinytaskServer } from "./harness/tinytask.ts"
import { until } from "./harness/until.ts"

const isRoot = process.getuid?.() === 0
const stranger = 65_534

/** More than the processors of a small machine would only wait for each other. */
const atOnce = 3

/** Where one planting happens. */
class Place {
  readonly folder: string
  readonly task: number
  /** Beside the base path: what must stay as it is. */
  readonly outside: string
  constructor(folder: string, task: number) {
    this.folder = folder
    this.task = task
    this.outside = join(folder, "outside")
  }
  get base(): string {
    return join(this.folder, "base")
  }
  state(name: string): string {
    return join(this.base, "state", name)
  }
  /** A file of ours, of which the stranger knows. */
  get ours(): string {
    return join(this.outside, "ours.txt")
  }
}

type Plant = (place: Place, path: string) => void

const link: Plant = (place, path) => {
  symlinkSync(place.ours, path)
  lchownSync(path, stranger, stranger)
}
const secondName: Plant = (place, path) => linkSync(place.ours, path)
const pipe: Plant = (_place, path) => {
  execFileSync("mkfifo", ["-m", "666", path])
  chownSync(path, stranger, stranger)
}
const file: Plant = (place, path) => {
  writeFileSync(path, `require("node:fs").writeFileSync(${JSON.stringify(join(place.folder, "executed"))}, "")\n`)
  chmodSync(path, 0o666)
  chownSync(path, stranger, stranger)
}
const directory: Plant = (_place, path) => {
  mkdirSync(path, { mode: 0o755 })
  chownSync(path, stranger, stranger)
}
const directoryLink: Plant = (place, path) => {
  symlinkSync(place.outside, path)
  lchownSync(path, stranger, stranger)
}

const kinds = {
  "a link": link,
  "a second name of our file": secondName,
  "a named pipe": pipe,
  "another's file": file,
  "another's directory": directory,
  "another's link to a directory of ours": directoryLink
} as const
type Kind = keyof typeof kinds

/** What somebody could notice of a file that was written, truncated, opened up or removed. Its second name may go. */
const lookOf = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const whole = join(path, entry.name)
      const { mode, mtimeNs, size, uid } = lstatSync(whole, { bigint: true })
      const own = [whole, mode.toString(8), uid, size, mtimeNs, entry.isFile() ? readFileSync(whole, "utf8") : ""]
      return [own.join(" "), ...(entry.isDirectory() ? lookOf(whole) : [])]
    })

interface Planting {
  readonly name: string
  readonly plant: (place: Place) => void
  readonly passes: number
  /** The exit code of the last pass; 0 also means that the task was done as ever. */
  readonly code: number
  /** Each sentence that is told, once; none: it is of no use to anybody. */
  readonly says: ReadonlyArray<RegExp>
}

const stateDirectories = ["", "running", "claims", "stops", "attempts", "history", "logs", "logs/tasks"]

const makeState = (place: Place): void => {
  for (const name of stateDirectories) mkdirSync(place.state(name), { recursive: true, mode: 0o700 })
}

const planting = (
  what: Kind,
  at: string,
  { code = 0, passes = 1, says = [] }: Partial<Pick<Planting, "code" | "passes" | "says">> = {}
): Planting => ({
  name: `${what} at state/${at}`,
  passes,
  code,
  says,
  plant: (place) => {
    makeState(place)
    rmSync(place.state(at), { recursive: true, force: true })
    kinds[what](place, place.state(at))
  }
})

const nothingStarts = (at: string, why: string): RegExp => new RegExp(`nothing will be started: .*/${at} ${why}`)
const theirs = `belongs to user ${stranger}, not to us`

/** Directories: nothing starts while one of them is another's. The log's own say so for themselves, too. */
const directories = [
  "running",
  "claims",
  "stops",
  "attempts",
  "history",
  "requests",
  "aside",
  "tmp",
  "logs",
  "logs/tasks"
].flatMap((at) => {
  const link = `is a symbolic link of user ${stranger}`
  const log = at === "logs" ? [/the log stands on stderr alone/] : []
  return [
    planting("another's directory", at, {
      code: 1,
      says: [
        ...log,
        ...(at === "logs/tasks" ? [/old logs can't be removed/] : []),
        nothingStarts(`state/${at}`, theirs)
      ]
    }),
    planting("another's link to a directory of ours", at, {
      code: 1,
      says: [
        ...log,
        nothingStarts(`state/${at}`, link),
        // A name of the form of a claim stands there.
        ...(at === "claims" ? [/the lease of task [0-9]+ can't be read .*is a directory/] : [])
      ]
    })
  ]
})

const month = `history/${new Date().toISOString().slice(0, 7).replace("-", "")}.jsonl`
const ended = (why: RegExp) => ({ passes: 2, code: 1, says: [why] })
const lockSays = (why: string) => ({ code: 1, says: [new RegExp(`the scheduler lock .* can't be taken: it ${why}`)] })

const files: ReadonlyArray<Planting> = [
  planting("a link", "tinyscheduler.lock", lockSays("is a symbolic link")),
  planting("a second name of our file", "tinyscheduler.lock"),
  planting("a named pipe", "tinyscheduler.lock", { code: 2, says: [/TINYSCHEDULER_LOCK_FILE: .* is a special file/] }),
  planting("another's file", "tinyscheduler.lock", lockSays(theirs)),
  planting("a link", "term"),
  planting("a second name of our file", "term"),
  planting("a named pipe", "term"),
  planting("another's file", "term"),
  planting("a link", "agents.json", { code: 1, says: [/agents\.json can't be read: it is a symbolic link/] }),
  planting("another's file", "agents.json", { code: 1, says: [new RegExp(`agents.json can't be read: it ${theirs}`)] }),
  planting("a link", month, ended(/jsonl can't be written: it is a symbolic link/)),
  planting("a second name of our file", month, { passes: 2 }),
  planting("a named pipe", month, ended(/jsonl can't be written: it is a named pipe/)),
  planting("another's file", month, ended(new RegExp(`jsonl can't be written: it ${theirs}`))),
  planting("a link", "logs/.kept"),
  planting("a second name of our file", "logs/.kept")
]

/** Of the log of the day on which a pass runs: the test may run over midnight. */
const logs: ReadonlyArray<Planting> = (
  ["a link", "a second name of our file", "a named pipe", "another's file"] as const
).map((what): Planting => ({
  name: `${what} at the scheduler's log of the day`,
  passes: 1,
  code: 0,
  says: what === "a second name of our file" ? [] : [/the log stands on stderr alone/],
  plant: (place) => {
    makeState(place)
    for (const later of [0, 1]) {
      const day = new Date(Date.now() + later * 86_400_000)
      const pad = (value: number): string => String(value).padStart(2, "0")
      const name = `${day.getFullYear()}${pad(day.getMonth() + 1)}${pad(day.getDate())}`
      kinds[what](place, place.state(`logs/scheduler_${name}.log`))
    }
  }
}))

/** The whole state, and what decides what runs, where the base path is everybody's as /tmp is. */
const shared: ReadonlyArray<Planting> = [
  {
    name: "another's state",
    plant: (place) => directory(place, place.state("")),
    passes: 1,
    code: 1,
    says: [new RegExp(`the scheduler lock .*/state ${theirs}`)]
  },
  {
    name: "another's link for the state",
    plant: (place) => directoryLink(place, place.state("").replace(/\/$/, "")),
    passes: 1,
    code: 1,
    says: [new RegExp(`the scheduler lock .*/state is a symbolic link of user ${stranger}`)]
  },
  {
    name: "a state of ours that everybody may write, also with the sticky bit",
    plant: (place) => {
      makeState(place)
      chmodSync(place.state(""), 0o1777)
    },
    passes: 1,
    code: 1,
    says: [/nothing will be started: .*\/state can be written by its group or by others/]
  },
  {
    name: "another's control file",
    plant: (place) => chownSync(join(place.base, "agent-control.json"), stranger, stranger),
    passes: 1,
    code: 2,
    says: [/agent-control\.json: belongs to user 65534, in a directory that everybody can write/]
  },
  {
    name: "another's .env",
    plant: (place) => {
      writeFileSync(join(place.base, ".env"), "TINYSCHEDULER_GOOSE_BIN=/tmp/anything\n")
      chownSync(join(place.base, ".env"), stranger, stranger)
    },
    passes: 1,
    code: 2,
    says: [/\.env belongs to user 65534, in a directory that everybody can write/]
  }
]

/** The program that supervisors run stands under its content's hash, which everybody can know. */
const programs: ReadonlyArray<Planting> = (["a link", "another's file", "a second name of our file"] as const).map(
  (what) => ({
    name: `${what} under the name of the supervisor's program`,
    plant: (place) => {
      makeState(place)
      kinds[what](place, place.state(supervisorProgram))
    },
    passes: 1,
    code: 0,
    says: []
  })
)

const plantings: ReadonlyArray<Planting> = [...directories, ...files, ...logs, ...shared, ...programs]

interface Outcome {
  readonly place: Place
  readonly last: Ended
  readonly before: ReadonlyArray<string>
  readonly after: ReadonlyArray<string>
}

let shelf = ""
let supervisorProgram = ""
let tinytask: TinytaskServer
const outcomes = new Map<Planting, Outcome>()

const makePlace = async (number: number): Promise<Place> => {
  const task = await tinytask.add({ queue: `queue ${number}` })
  const place = new Place(join(shelf, String(number)), task)
  mkdirSync(place.base, { recursive: true })
  chmodSync(place.base, 0o1777)
  mkdirSync(join(place.outside, `${task}.1`), { recursive: true, mode: 0o755 })
  writeFileSync(place.ours, "ours\n")
  writeFileSync(join(place.outside, `${task}.1`, "1.log"), "ours too\n")
  // Old enough to be swept, were it a log.
  for (const path of [place.ours, join(place.outside, `${task}.1`, "1.log")]) utimesSync(path, 1, 1)
  const command = ["/bin/sh", fixture("worker.sh"), join(place.folder, "record.jsonl")]
  const agent = { agentName: `a${number}`, agentType: `queue ${number}`, command, slots: 99, env: { WORK_MS: "1-2" } }
  writeFileSync(join(place.base, "agent-control.json"), JSON.stringify([agent]))
  return place
}

/** One pass, and until its agents have ended. */
const passIn = async (place: Place): Promise<Ended> => {
  const ended = await launch({
    command: [process.execPath, "--", program, "run", "--once", "--mcp-endpoint", tinytask.url],
    cwd: place.base,
    env: { PATH: process.env["PATH"] ?? "", HOME: place.folder, LANG: "C.UTF-8", [markVariable]: place.folder }
  }).ended
  await until("its agents have ended", () => markedProcesses(place.folder).length === 0)
  return ended
}

const runOne = async (planted: Planting, number: number): Promise<Outcome> => {
  const place = await makePlace(number)
  planted.plant(place)
  const before = lookOf(place.outside)
  let last = await passIn(place)
  for (let pass = 1; pass < planted.passes; pass += 1) last = await passIn(place)
  return { place, last, before, after: lookOf(place.outside) }
}

beforeAll(async () => {
  if (!isRoot) return
  shelf = mkdtempSync(join(tmpdir(), "tinyscheduler-planted-"))
  chmodSync(shelf, 0o755)
  tinytask = await TinytaskServer.start(join(shelf, "tasks.db"))
  const honest = await makePlace(plantings.length)
  await passIn(honest)
  supervisorProgram = readdirSync(honest.state("")).find((name) => name.startsWith("supervisor-")) ?? ""
  const waiting = [...plantings.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [number, planted] = next
      outcomes.set(planted, await runOne(planted, number))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
})

afterAll(async () => {
  if (!isRoot) return
  for (const { place } of outcomes.values()) await endMarked(place.folder)
  await tinytask.close()
  rmSync(shelf, { recursive: true, force: true })
})

const outcomeOf = (planted: Planting): Outcome => {
  const outcome = outcomes.get(planted)
  if (outcome === undefined) throw new Error(`${planted.name} was not run`)
  return outcome
}

const expectHarmless = (place: Place, before: ReadonlyArray<string>, last: Ended): void => {
  expect(lookOf(place.outside)).toEqual(before)
  expect(existsSync(join(place.folder, "executed"))).toBe(false)
  expect(last.stderr).not.toMatch(stackTrace)
}

describe.skipIf(!isRoot)("what another user planted (needs root to plant)", () => {
  it("is found under the name that supervisors are run by", () => {
    expect(supervisorProgram).toMatch(/^supervisor-[0-9a-f]{16}\.cjs$/)
  })

  it.each(plantings.map((planted) => [planted.name, planted] as const))("%s", (_name, planted) => {
    const { before, last, place } = outcomeOf(planted)
    expect({ code: last.code, told: troublesOf(last.stderr) }).toEqual({
      code: planted.code,
      told: planted.says.map((sentence) => expect.stringMatching(sentence))
    })
    expectHarmless(place, before, last)
    expect(existsSync(join(place.folder, "record.jsonl"))).toBe(planted.code === 0 || planted.passes === 2)
  })

  it("under the names of tasks: each holds its own task or is of no use, and all others are done", async () => {
    const number = plantings.length + 1
    const place = await makePlace(number)
    makeState(place)
    const held = /can't be read|can't be written|the launch failed/
    const perTask: ReadonlyArray<readonly [Kind, string, RegExp | null]> = [
      ["a link", "running/task_{}.json", held],
      ["another's file", "running/task_{}.json", held],
      ["a named pipe", "running/task_{}.json", held],
      ["another's directory", "running/task_{}.json", held],
      ["a link", "claims/{}.1", held],
      ["another's file", "claims/{}.1", held],
      ["a link", "stops/{}.1.json", null],
      ["a link", "attempts/task_{}.json", held],
      ["another's file", "attempts/task_{}.json", held],
      ["a link", "logs/tasks/{}/1.log", null],
      ["a second name of our file", "logs/tasks/{}/1.log", null],
      ["a named pipe", "logs/tasks/{}/1.log", null],
      ["another's file", "logs/tasks/{}/1.log", null],
      ["a link", "logs/tasks/{}/1.prompt", held],
      ["another's file", "logs/tasks/{}/1.prompt", held],
      ["another's directory", "logs/tasks/{}", held],
      ["another's link to a directory of ours", "logs/tasks/{}", held],
      ["another's directory", "tmp/{}.1", null],
      ["another's link to a directory of ours", "tmp/{}.1", null]
    ]
    const tasks = new Map<number, RegExp | null>()
    for (const [what, at, says] of perTask) {
      const task = await tinytask.add({ queue: `queue ${number}` })
      const path = place.state(at.replaceAll("{}", String(task)))
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      kinds[what](place, path)
      tasks.set(task, says)
    }
    const before = lookOf(place.outside)
    const last = await passIn(place)
    expectHarmless(place, before, last)
    const told = troublesOf(last.stderr).filter((sentence) => !/old logs can't be removed/.test(sentence))
    const holding = [...tasks.values()].filter((says) => says !== null)
    expect(told).toEqual(holding.map(() => expect.stringMatching(held)))
    const ran = new Set(readRecord(join(place.folder, "record.jsonl")).map((line) => line.task))
    const free = [...tasks].flatMap(([task, says]) => (says === null ? [task] : []))
    expect(ran).toEqual(new Set([...free, place.task]))
    expect(last.code).toBe(1)
  })
})
