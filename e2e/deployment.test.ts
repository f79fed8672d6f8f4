/** What deploy/ says: units that systemd understands to the last line, how exposed they leave a service, the job of launchd. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import type { TestContext } from "vitest"
import { Ground } from "./harness/Ground.ts"
import { parsePlist } from "./harness/plist.ts"
import { makeUnitDirectory } from "./harness/privateSystemd.ts"
import { launch, repository } from "./harness/program.ts"
import type { Ended } from "./harness/program.ts"

const deploy = `${repository}deploy`
const shipped = (name: string): string => readFileSync(`${deploy}/${name}`, "utf8")

const unitsIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder)
    .filter((name) => /\.(service|timer)$/.test(name))
    .sort()

const analyze = (context: TestContext, ground: Ground, args: ReadonlyArray<string>): Promise<Ended> => {
  if (!existsSync("/usr/bin/systemd-analyze")) return context.skip("systemd is not installed")
  mkdirSync(ground.path("run"), { recursive: true })
  chmodSync(ground.path("run"), 0o777)
  chmodSync(ground.base, 0o755)
  const env = ground.environment({
    XDG_RUNTIME_DIR: ground.path("run"),
    SYSTEMD_UNIT_PATH: makeUnitDirectory(ground.path("units"))
  })
  // As root it would leave a file in /run.
  const another = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
  return launch({ command: [...another, "/usr/bin/systemd-analyze", ...args], cwd: ground.base, env }).ended
}

/**
 * The units of a folder for an analysis: the shipped files, but that their program exists. `systemd-analyze verify` wants
 * it to, and exits with 0 whatever it has to say of the directives: what it says is the answer.
 */
const copied = (ground: Ground, folder: string, change: (text: string) => string): ReadonlyArray<string> => {
  chmodSync(ground.write("program", "#!/bin/sh\n"), 0o755)
  return unitsIn(folder).map((name) => {
    const text = readFileSync(`${folder}/${name}`, "utf8")
    const path = ground.path(name)
    writeFileSync(path, change(text).replace(/^ExecStart=\S+/m, `ExecStart=${ground.path("program")}`))
    return path
  })
}

const same = (text: string): string => text

describe.each([
  { whose: "the system's", folder: deploy, manager: "--system" },
  { whose: "the user's", folder: `${deploy}/user`, manager: "--user" }
])("$whose units", ({ folder, manager }) => {
  it("are a daemon, a pass and its timer, and systemd-analyze verify has nothing to say of them", async (context) => {
    const ground = new Ground()
    const units = copied(ground, folder, same)
    expect(unitsIn(folder)).toEqual(["tinyscheduler-oneshot.service", "tinyscheduler.service", "tinyscheduler.timer"])
    const { code, stderr, stdout } = await analyze(context, ground, [manager, "verify", ...units])
    expect({ code, said: stdout + stderr }).toEqual({ code: 0, said: "" })
  })

  it.for([
    ["a directive that is misspelt", "KillMode=process", "KilMode=process", /Unknown key.*'KilMode'/],
    ["a value that is none", "KillMode=process", "KillMode=proces", /Failed to parse kill mode specification.*proces/],
    ["a directive in another section", "KillMode=process", "OnCalendar=daily", /Unknown key.*'OnCalendar'/]
  ] as const)("with %s would be found out", async ([_what, from, to, said], context) => {
    const ground = new Ground()
    const units = copied(ground, folder, (text) => text.replace(from, to))
    const { stderr, stdout } = await analyze(context, ground, [manager, "verify", ...units])
    expect(stdout + stderr).toMatch(said)
  })
})

describe("the system's services", () => {
  /** Of 100. Another systemd may weigh things a little differently from the one whose figures the documentation gives. */
  const mostExposed = 25

  it.for([
    ["tinyscheduler.service", "2.3"],
    ["tinyscheduler-oneshot.service", "2.1"]
  ] as const)("%s is as little exposed as its agents allow, %s of 10", async ([name, figure], context) => {
    const ground = new Ground()
    const args = ["security", "--offline=true", `--threshold=${mostExposed}`, "--no-pager", `${deploy}/${name}`]
    const { code, stdout } = await analyze(context, ground, args)
    expect({ code, said: stdout.slice(stdout.indexOf("Overall")) }).toMatchObject({ code: 0 })
    expect(readFileSync(`${repository}docs/deployment.md`, "utf8")).toContain(figure)
    const version = await analyze(context, ground, ["--version"])
    if (version.stdout.startsWith("systemd 252 "))
      expect(stdout).toContain(`Overall exposure level for ${name}: ${figure} `)
  })

  it("confine their agents alike, and by nothing that hides processes, boot id or /tmp from a scheduler to come", () => {
    const sandboxOf = (name: string): string =>
      /^# Agents inherit[\s\S]*?(?=\n\[Install\]|$(?![\s\S]))/m.exec(shipped(name))?.[0].trim() ?? name
    const sandbox = sandboxOf("tinyscheduler.service")
    expect(sandboxOf("tinyscheduler-oneshot.service")).toBe(sandbox)
    expect(sandbox.match(/^(ProtectProc|ProcSubset|PrivateUsers|PrivatePIDs|PrivateTmp|RemoveIPC)=/m)).toBeNull()
    for (const name of ["tinyscheduler.service", "tinyscheduler-oneshot.service"]) {
      for (const folder of ["", "user/"]) {
        expect(shipped(folder + name)).toMatch(/^KillMode=process$/m)
        expect(shipped(folder + name)).toMatch(/^OOMPolicy=continue$/m)
        expect(shipped(folder + name)).toMatch(/^Delegate=yes$/m)
      }
    }
  })
})

describe("the job of launchd", () => {
  it("is named as its file, leaves agents alone when it ends, and is started again only after a failure", async () => {
    expect(await parsePlist(shipped("com.tinyscheduler.plist"))).toEqual({
      Label: "com.tinyscheduler",
      ProgramArguments: ["/Users/you/tinyscheduler/tinyscheduler", "run", "--daemon"],
      WorkingDirectory: "/Users/you/agents",
      EnvironmentVariables: { PATH: expect.stringContaining(":/usr/bin:/bin") },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      AbandonProcessGroup: true,
      ExitTimeOut: 120,
      ProcessType: "Standard",
      Umask: 0o077,
      StandardErrorPath: "/Users/you/agents/launchd.log"
    })
  })
})
