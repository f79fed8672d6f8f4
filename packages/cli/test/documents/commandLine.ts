/** The command line as it is in the sources: which commands there are, and which flags each takes. */
import { spawnSync } from "node:child_process"
import { flagsIn, subcommandsIn } from "./helpText.ts"
import { inRoot, root } from "./markdown.ts"

/** A program of the repository, run from its sources. */
export const runSource = (file: string, args: ReadonlyArray<string> = []) =>
  spawnSync(process.execPath, ["--conditions=source", inRoot(file), ...args], { encoding: "utf8", cwd: root })

const readHelps = (): ReadonlyMap<string, string> => {
  const { stderr, stdout } = runSource("packages/cli/test/documents/printHelps.ts")
  if (stdout === "") throw new Error(`the command line prints no help: ${stderr}`)
  const helps: Readonly<Record<string, string>> = JSON.parse(stdout)
  return new Map(Object.entries(helps))
}

const helps = readHelps()

const helpOf = (command: ReadonlyArray<string>): string => helps.get(command.join(" ")) ?? ""

/** Every command, by its words. */
export const commands: ReadonlyArray<ReadonlyArray<string>> = [...helps.keys()]
  .filter((words) => words !== "")
  .map((words) => words.split(" "))

/** The flags that all commands share. */
export const sharedFlags = flagsIn(helpOf([]))

export const flagsOf = (command: ReadonlyArray<string>): ReadonlySet<string> => flagsIn(helpOf(command))

/** What is wrong with a use of our command line: no such command, or a flag that it has not. */
export const faultsOf = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [first = "", second = ""] = args.filter((arg) => /^[a-z][a-z-]*$/.test(arg))
  const below = subcommandsIn(helpOf([first]))
  const command = below.includes(second) ? [first, second] : first === "" ? [] : [first]
  if (!helps.has(command.join(" "))) return [`there is no command ${command.join(" ")}`]
  if (below.length > 0 && command.length === 1 && second !== "") return [`there is no command ${first} ${second}`]
  const flags = flagsOf(command)
  return args
    .filter((arg) => /^--?[a-z]/.test(arg))
    .map((arg) => arg.replace(/=.*/, "").replace(/^--no-/, "--"))
    .filter((flag) => !flags.has(flag))
    .map((flag) => `${command.join(" ")} has no flag ${flag}`)
}
