/** The lines of strace's log: which thread began which call, and which threads belong to one process. */

export interface Call {
  readonly thread: number
  readonly call: string
  /** Its arguments, and its result unless it was resumed on a later line. */
  readonly rest: string
}

export interface Trace {
  /** In the order in which they were begun; what was resumed later is no call of its own. */
  readonly calls: ReadonlyArray<Call>
  /** For each thread but the first of a process: the thread that made it. */
  readonly makerOfThread: ReadonlyMap<number, number>
  /** For each process that was forked: the thread that made it. */
  readonly makerOfProcess: ReadonlyMap<number, number>
}

const begun = /^(\d+) +([a-z0-9]+)\((.*)$/
const resumedFork = /^(\d+) +<\.\.\. (?:clone3?|vfork) resumed/
const forks = new Set(["clone", "clone3", "vfork"])
const made = / = (\d+)$/

export const linesOfTrace = (text: string): Trace => {
  const calls: Array<Call> = []
  const makerOfThread = new Map<number, number>()
  const makerOfProcess = new Map<number, number>()
  /** Threads whose latest clone makes a thread, and not a process. */
  const makesThread = new Set<number>()
  for (const line of text.split("\n")) {
    const [, by, call, rest] = begun.exec(line) ?? []
    const thread = Number(by ?? resumedFork.exec(line)?.[1])
    if (call !== undefined && rest !== undefined) calls.push({ thread, call, rest })
    if (call !== undefined && forks.has(call)) {
      if (line.includes("CLONE_THREAD")) makesThread.add(thread)
      else makesThread.delete(thread)
    } else if (by !== undefined) continue
    const child = made.exec(line)?.[1]
    const makers = makesThread.has(thread) ? makerOfThread : makerOfProcess
    if (child !== undefined) makers.set(Number(child), thread)
  }
  return { calls, makerOfThread, makerOfProcess }
}
