/** A process that makes passes on demand: the built program without the start of Node, which is most of a pass's time. */
import { type ChildProcess, fork } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { program } from "../harness/program.ts"

export interface Pass {
  readonly code: number
  readonly said: string
}

const resident = fileURLToPath(new URL("resident.cjs", import.meta.url))
const builtProgram = join(dirname(program), "tinyscheduler-program.js")

interface Place {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export class Passes {
  readonly #place: Place
  #child: ChildProcess | null = null

  constructor(place: Place) {
    this.#place = place
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  #ready(): ChildProcess {
    this.#child ??= fork(resident, [builtProgram], { ...this.#place, execArgv: [], stdio: "ignore" })
    return this.#child
  }

  async run(argv: ReadonlyArray<string>): Promise<Pass> {
    const child = this.#ready()
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error("the process that makes the passes died"))
      child.once("exit", onExit)
      child.once("message", (answer: Pass) => {
        child.off("exit", onExit)
        resolve(answer)
      })
      child.send(argv)
    })
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === null) return
    const gone = new Promise((resolve) => child.once("exit", resolve))
    child.disconnect()
    await gone
  }
}
