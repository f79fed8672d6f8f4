/** `init`: by questions on a terminal and by flags; what it writes works at once, and what is there already stays. */
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { linesOf } from "./harness/program.ts"
import { expectTrouble } from "./harness/sentences.ts"
import { hasScript, keys, onTerminal } from "./harness/terminal.ts"
import type { Person } from "./harness/terminal.ts"

const { clearLine, down, enter, escape, interrupt } = keys

const controlOf = (ground: Ground): unknown => JSON.parse(ground.read("agent-control.json"))

/** No program of an agent is found, whatever this machine has. */
const bare = (ground: Ground) => ({ PATH: ground.path("home") })

/** That the written files are enough: no flag, no variable. */
const expectWorking = async (ground: Ground, programs: ReadonlyArray<string>): Promise<void> => {
  const { code, stdout } = await ground.cli(["validate-config"], { env: bare(ground) })
  // The clock and the disk are this machine's own matter.
  const troubles = linesOf(stdout).filter((line) => !/^(?:ok|warning +(?:clock|disk|running directory):) /.test(line))
  expect(troubles).toEqual([
    expect.stringMatching(/^warning +.*\/state: is not there yet/),
    ...programs.map((name) => expect.stringMatching(new RegExp(`^error +${name}: ${name} was not found on PATH`))),
    expect.stringMatching(new RegExp(`^${programs.length} errors?, \\d+ warnings?$`))
  ])
  expect(code).toBe(2)
}

const dryRun = async (ground: Ground): Promise<ReadonlyArray<string>> => {
  const { code, stdout } = await ground.cli(["run", "--once", "--dry-run"])
  expect(code).toBe(0)
  return linesOf(stdout).filter((line) => line.startsWith("5 start"))
}

/** The first four questions, answered with what they offer. */
const oneAgent = async (person: Person): Promise<void> => {
  await person.sees("Name of an agent (vaela)", enter)
  await person.sees("What runs as vaela", enter)
  await person.sees("Queues that vaela serves", enter)
  await person.sees("Tasks that vaela works on at once (1)", enter)
}

describe.skipIf(!hasScript)("init on a terminal", () => {
  it("asks, tells what is wrong with an answer and asks again, and writes what works; a token is never shown", async () => {
    const ground = await makeGround()
    const task = await ground.tinytask.add({ queue: "dev", title: "the first" })
    const person = onTerminal(ground, ["init"])
    await person.sees("Name of an agent (vaela)", `-rf${enter}`)
    await person.sees('"-rf" is no agent\'s name', clearLine + enter)
    await person.sees("What runs as vaela", enter)
    await person.sees("Queues that vaela serves", `dev,,qa${enter}`)
    await person.sees('"" is no queue\'s name', `${clearLine}dev, qa${enter}`)
    await person.sees("Tasks that vaela works on at once (1)", `many${enter}`)
    await person.sees('"many" is not a whole number', `${clearLine}2${enter}`)
    await person.sees("Another agent", "y")
    await person.sees("Name of an agent", `vaela${enter}`)
    await person.sees("vaela is there already", `${clearLine}claude${enter}`)
    await person.sees("What runs as claude", down + enter)
    await person.sees("Queues that claude serves", `qa${enter}`)
    await person.sees("Tasks that claude works on at once (1)", enter)
    await person.sees("Another agent", enter)
    await person.sees("Where is Tinytask", enter)
    await person.sees("Its address", `http://192.0.2.1:3000${enter}`)
    await person.sees("plain http", `${clearLine}${ground.tinytask.url}${enter}`)
    await person.sees("Bearer token", `t0ken-of-init${enter}`)
    await person.sees("Most agents at once", `some${enter}`)
    await person.sees("is not a whole number", `${clearLine}3${enter}`)
    expect(existsSync(ground.path(".env"))).toBe(false)
    await person.sees("Write .env, agent-control.json, recipes/vaela.yaml", enter)
    const { code, shown } = await person.ended
    expect(code).toBe(0)
    expect(shown).not.toContain("t0ken")
    expect(shown).toContain(`made ${ground.path("recipes/vaela.yaml")}`)
    expect(shown).toMatch(
      /Next:\s+tinyscheduler validate-config\s+tinyscheduler run --once --dry-run\s+tinyscheduler run/
    )
    expect(linesOf(ground.read(".env")).slice(1)).toEqual([
      `TINYSCHEDULER_MCP_ENDPOINT=${ground.tinytask.url}`,
      "TINYSCHEDULER_MCP_TOKEN=t0ken-of-init",
      "TINYSCHEDULER_MAX_CONCURRENT=3"
    ])
    expect((lstatSync(ground.path(".env")).mode & 0o777).toString(8)).toBe("600")
    expect(controlOf(ground)).toEqual([
      { agentName: "vaela", agentType: ["dev", "qa"], slots: 2 },
      expect.objectContaining({ agentName: "claude", agentType: "qa", slots: 1 })
    ])
    await expectWorking(ground, ["goose", "claude"])
    expect(await dryRun(ground)).toEqual([expect.stringContaining(`5 start task ${task} on vaela (`)])
  })

  interface Leaving {
    readonly name: string
    readonly leave: (person: Person) => Promise<void>
    readonly code: number
  }
  it.each<Leaving>([
    { name: "Ctrl-C at the first question", leave: (person) => person.sees("Name of an agent", interrupt), code: 130 },
    {
      name: "Ctrl-C in the middle of an answer",
      leave: async (person) => {
        await oneAgent(person)
        await person.sees("Another agent", enter)
        await person.sees("Where is Tinytask", enter)
        await person.sees("Its address", `http${interrupt}`)
      },
      code: 130
    },
    {
      name: "Escape at the last question",
      leave: async (person) => {
        await oneAgent(person)
        await person.sees("Another agent", enter)
        await person.sees("Where is Tinytask", down + enter)
        await person.sees("Most agents at once", enter)
        await person.sees("Write .env", escape)
      },
      code: 130
    },
    {
      name: "no at the last question",
      leave: async (person) => {
        await oneAgent(person)
        await person.sees("Another agent", enter)
        await person.sees("Where is Tinytask", down + enter)
        await person.sees("Most agents at once", enter)
        await person.sees("Write .env", "n")
      },
      code: 0
    }
  ])("$name leaves everything as it was", async ({ code, leave }) => {
    const ground = new Ground()
    const before = treeOf(ground.base)
    const person = onTerminal(ground, ["init"])
    await leave(person)
    const ended = await person.ended
    expect(ended.code).toBe(code)
    expect(ended.shown).toContain("Nothing was written.")
    expect(treeOf(ground.base)).toEqual(before)
  })
})

describe("init by flags", () => {
  it("writes what works at once, and keeps the settings that it was given", async () => {
    const ground = await makeGround()
    const [dev, odd] = [await ground.tinytask.add({ queue: "dev" }), await ground.tinytask.add({ queue: "it's odd" })]
    const token = `a'b"c\\d#e$f`
    const made = await ground.cli([
      "init",
      "--agent=vaela=dev,qa",
      "--agent=codex=it's odd:codex",
      "--agent-limit=vaela=3",
      "--max-concurrent=9",
      '--queue-limits={"dev": 2}',
      "--mcp-token",
      token,
      ...ground.endpoint
    ])
    expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: "" })
    expect(made.stdout).not.toContain(token)
    expect(controlOf(ground)).toEqual([
      { agentName: "vaela", agentType: ["dev", "qa"], slots: 3 },
      {
        agentName: "codex",
        agentType: "it's odd",
        slots: 1,
        success: "json",
        prompt: expect.stringContaining('{"status":"done"}'),
        command: expect.arrayContaining(["codex", "exec", "Read {{promptFile}} and do what it says."])
      }
    ])
    const shown = await ground.cli(["config", "--json"])
    const { settings }: { settings: ReadonlyArray<{ variable: string; value: unknown; origin: string }> } = JSON.parse(
      shown.stdout
    )
    expect(
      settings.filter(({ origin }) => origin === "env file").map(({ value, variable }) => [variable.slice(14), value])
    ).toEqual(
      expect.arrayContaining([
        ["MCP_ENDPOINT", ground.tinytask.url],
        ["MAX_CONCURRENT", 9],
        ["QUEUE_LIMITS", { dev: 2 }],
        ["MCP_TOKEN", "(set, not shown)"]
      ])
    )
    await expectWorking(ground, ["goose", "codex"])
    expect(await dryRun(ground)).toEqual([
      expect.stringContaining(`5 start task ${dev} on vaela (`),
      expect.stringContaining(`5 start task ${odd} on codex (`)
    ])
  })

  it("--yes --embedded begins elsewhere, for a Tinytask of our own, and says how to start it", async () => {
    const ground = new Ground()
    const { code, stdout } = await ground.cli([
      "init",
      "--yes",
      "--embedded",
      "--json",
      "--base-path=new/place",
      "--mcp-endpoint=http://127.0.0.1:4321"
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      directory: ground.path("new/place"),
      wouldMake: [],
      made: expect.arrayContaining([ground.path("new"), ground.path("new/place/.env")]),
      next: [
        "tinyscheduler up --port 4321",
        "tinyscheduler validate-config",
        'tinyscheduler tinytask add "My first task" --queue dev'
      ]
    })
    expect(readFileSync(ground.path("new/place/recipes/vaela.yaml"), "utf8")).toContain("http://127.0.0.1:4321/mcp")
  })

  it.each([
    { name: "nothing, and no terminal", args: [], says: /^init has no terminal .* --agent name=queue, or --yes/ },
    { name: "an agent without a queue", args: ["--agent", "vaela"], says: /^--agent "vaela": expected name=queue/ },
    { name: "a name that is none", args: ["--agent", "a/b=dev"], says: /"a\/b" is no agent's name/ },
    { name: "an empty queue", args: ["--agent", "vaela=dev,"], says: /"" is no queue's name/ },
    { name: "an unknown program", args: ["--agent", "v=dev:vim"], says: /"vim" is none of the programs goose, claude/ },
    { name: "an agent twice", args: ["--agent", "v=a", "--agent", "v=b"], says: /^--agent v is given twice/ },
    {
      name: "a Tinytask of our own elsewhere",
      args: ["--yes", "--embedded", "--mcp-endpoint", "https://tasks.example"],
      says: /^--embedded is a Tinytask on this machine/
    },
    {
      name: "a limit of nobody",
      args: ["--agent", "v=a", "--agent-limit", "w=1"],
      says: /names w, and no --agent does/
    },
    { name: "plain http to another machine", args: ["--yes", "--mcp-endpoint", "http://192.0.2.1"], says: /plain http/ }
  ])("$name: one sentence, exit code 2, nothing written", async ({ args, says }) => {
    const ground = new Ground()
    const before = treeOf(ground.base)
    expectTrouble(await ground.cli(["init", ...args]), 2, says)
    expect(treeOf(ground.base)).toEqual(before)
  })

  it.each([".env", "agent-control.json", "docs/technical/agent-control.json", "recipes/vaela.yaml"])(
    "names %s that is there already, and leaves everything as it was",
    async (name) => {
      const ground = new Ground()
      ground.write(name, "# mine\n")
      const before = treeOf(ground.base)
      expectTrouble(
        await ground.cli(["init", "--yes"]),
        2,
        new RegExp(`^init overwrites nothing, and .*/${name} is there`)
      )
      expect(treeOf(ground.base)).toEqual(before)
    }
  )

  it("as a dry run says what it would make, and makes nothing; neither does --fix", async () => {
    const ground = new Ground()
    const before = treeOf(ground.base)
    const { code, stdout } = await ground.cli(["init", "--yes", "--dry-run"])
    expect([code, linesOf(stdout)]).toEqual([
      0,
      [".env", "agent-control.json", "recipes/vaela.yaml"].map((name) => `would make ${ground.path(name)}`)
    ])
    await ground.cli(["validate-config", "--fix", "--dry-run"])
    expect(treeOf(ground.base)).toEqual(before)
  })

  it("takes back what it wrote when the rest can't be written", async () => {
    const ground = new Ground()
    mkdirSync(ground.path("recipes"))
    symlinkSync(ground.path("nowhere"), ground.path("recipes/vaela.yaml"))
    const before = treeOf(ground.path("recipes"))
    expectTrouble(await ground.cli(["init", "--yes"]), 1, /recipes\/vaela\.yaml can't be written/)
    expect([".env", "agent-control.json"].map((name) => existsSync(ground.path(name)))).toEqual([false, false])
    expect(treeOf(ground.path("recipes"))).toEqual(before)
  })
})
