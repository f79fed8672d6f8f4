/**
 * deploy/Containerfile, as far as that can be told without an engine: what it copies is there, and what it starts runs in
 * the layout that it makes, with no more than it names. No image is built here.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { dirname } from "node:path"
import { expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { launch, linesOf, program, repository } from "./harness/program.ts"

interface Instruction {
  readonly word: string
  readonly rest: string
}

const instructions: ReadonlyArray<Instruction> = linesOf(
  readFileSync(`${repository}deploy/Containerfile`, "utf8")
    .replace(/^#.*\n/gm, "")
    .replace(/\s*\\\n\s*/g, " ")
).map((line) => ({ word: line.slice(0, line.indexOf(" ")), rest: line.slice(line.indexOf(" ") + 1).trim() }))

const all = (word: string): ReadonlyArray<string> =>
  instructions.filter((instruction) => instruction.word === word).map(({ rest }) => rest)

/** The words of an instruction in the form of JSON, which no shell sees. */
const words = (text: string | undefined): ReadonlyArray<string> => JSON.parse(text ?? "[]")

const sourcesOf = (copy: string): ReadonlyArray<string> => copy.split(" ").slice(0, -1)

const fromBuild = "--from=build "
const installed = "/opt/tinyscheduler/"

/** What the last stage copies, below `root` as it would be below /. */
const layOut = (ground: Ground): string => {
  const root = ground.path("image")
  for (const copy of all("COPY").filter((rest) => rest.includes(` ${installed}`))) {
    const [from = "", to = ""] = copy.replace(fromBuild, "").split(" ")
    const path = from.replace(installed, repository)
    // The tests run the program that E2E_PROGRAM names.
    cpSync(path.endsWith("/dist") ? dirname(program) : path.startsWith("/") ? path : repository + path, root + to, {
      recursive: true
    })
  }
  mkdirSync(`${root}/bin`)
  const [, link = "", name = ""] = /ln -s (\S+) \S+\/(\S+)/.exec(all("RUN").join(" ")) ?? []
  symlinkSync(root + link, `${root}/bin/${name}`)
  return root
}

it("copies what the repository has and what the build leaves, and nothing that .dockerignore leaves out", () => {
  const ignored = linesOf(readFileSync(`${repository}.dockerignore`, "utf8"))
  const copies = all("COPY")
  const sources = copies.filter((copy) => !copy.startsWith("--")).flatMap(sourcesOf)
  expect(sources.filter((source) => !existsSync(repository + source) || ignored.includes(source))).toEqual([])
  // Whatever the build of the workspace reads is among them.
  expect(sources).toEqual(expect.arrayContaining(["packages", "scripts", "examples", "pnpm-lock.yaml"]))
  const built = copies.filter((copy) => copy.startsWith(fromBuild)).map((copy) => copy.slice(fromBuild.length))
  expect(built).toEqual([`${installed}packages/cli/dist ${installed}packages/cli/dist`])
  expect(ignored).toEqual(expect.arrayContaining(["**/node_modules", "**/dist", ".git", ".env"]))
})

it("runs as a user without rights, under an init that waits for what agents leave behind", () => {
  const last = instructions.slice(instructions.findLastIndex(({ word }) => word === "FROM"))
  expect(last.map(({ word }) => word)).toEqual(expect.arrayContaining(["USER", "VOLUME", "HEALTHCHECK"]))
  expect(last.find(({ word }) => word === "USER")?.rest).toBe("node")
  expect(words(all("ENTRYPOINT")[0]).slice(0, 2)).toEqual(["tini", "--"])
  expect(all("RUN").join(" ")).toMatch(/apt-get install .*\btini\b/)
})

it("starts and is healthy in the layout that it makes, with the settings that it sets", async () => {
  const ground = await makeGround()
  const root = layOut(ground)
  const [name = "", value = ""] = (all("ENV")[0] ?? "").split("=")
  const env = ground.environment({ PATH: `${root}/bin:${dirname(process.execPath)}:/usr/bin:/bin`, [name]: value })
  const inside = (command: ReadonlyArray<string>) => launch({ command, cwd: ground.base, env })
  ground.agents([ground.worker("vaela", "dev")])
  ground.write(".env", `TINYSCHEDULER_MCP_ENDPOINT=${ground.tinytask.url}\n`)

  const daemon = inside([...words(all("ENTRYPOINT")[0]).slice(2), ...words(all("CMD")[0])])
  await daemon.says("daemon: a pass every")
  const check = words(/CMD (.*)$/.exec(all("HEALTHCHECK")[0] ?? "")?.[1])
  expect((await inside(check).ended).code).toBe(0)
  await ground.tinytask.down()
  expect((await inside(check).ended).code).toBe(1)
  daemon.kill(all("STOPSIGNAL")[0] === "SIGTERM" ? "SIGTERM" : "SIGKILL")
  expect(await daemon.ended).toMatchObject({ code: 0, signal: null })

  const { stdout } = await inside(["tinyscheduler", "config", "--json"]).ended
  const { settings }: { settings: ReadonlyArray<{ variable: string; value: unknown }> } = JSON.parse(stdout)
  expect(settings.find(({ variable }) => variable === name)?.value).toBe(Number(value))
})
