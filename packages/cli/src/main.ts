/** The command line: all commands under one root, failures told in one sentence, exit codes set. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { applyCommand } from "./commands/apply.ts"
import { configCommand } from "./commands/config.ts"
import { demoCommand } from "./commands/demo.ts"
import { drainCommand } from "./commands/drain.ts"
import { forecastCommand } from "./commands/forecast.ts"
import { gcCommand } from "./commands/gc.ts"
import { graphCommand } from "./commands/graph.ts"
import { initCommand } from "./commands/init.ts"
import { planCommand } from "./commands/plan.ts"
import { replayCommand } from "./commands/replay.ts"
import { recordCommand } from "./commands/record.ts"
import { repairCommand } from "./commands/repair.ts"
import { pauseCommand } from "./commands/pause.ts"
import { resumeCommand } from "./commands/resume.ts"
import { retryCommand } from "./commands/retry.ts"
import { runCommand } from "./commands/run.ts"
import { statusCommand } from "./commands/status.ts"
import { stopCommand } from "./commands/stop.ts"
import { tinytaskCommand } from "./commands/tinytask.ts"
import { upCommand } from "./commands/up.ts"
import { validateCommand } from "./commands/validate.ts"
import { whyCommand } from "./commands/why.ts"
import { exitCodes, ExitWith, tell } from "./exits.ts"
import { root } from "./flags.ts"
import { InterruptCode } from "./interruption.ts"
import { escapeText } from "./output/escape.ts"
import { usageError } from "./output/usageError.ts"
import { version } from "./version.ts"

const commands = root.pipe(
  Command.withSubcommands([
    runCommand,
    planCommand,
    applyCommand,
    upCommand,
    statusCommand,
    whyCommand,
    graphCommand,
    forecastCommand,
    recordCommand,
    replayCommand,
    stopCommand,
    retryCommand,
    pauseCommand,
    resumeCommand,
    drainCommand,
    repairCommand,
    gcCommand,
    configCommand,
    initCommand,
    validateCommand,
    tinytaskCommand,
    demoCommand
  ])
)

/** Ours is --log-level, with the words of our own documentation. */
const cliConfig = CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })

/** A usage error is one sentence on stderr, without the whole help before it. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.sync(() => {
          const asked = [...event.commandPath, "--help"].join(" ")
          for (const error of event.errors) process.stderr.write(`${usageError(error.message)} Try: ${asked}\n`)
        })
      : CliOutput.defaultPresenter.present(event)
})

const report = (exit: Exit.Exit<void, unknown>, onInterrupt: number): number => {
  if (Exit.isSuccess(exit)) return exitCodes.done
  if (Cause.hasInterruptsOnly(exit.cause)) return onInterrupt
  const failure = Cause.squash(exit.cause)
  if (failure instanceof ExitWith) return failure.code
  if (typeof failure === "object" && failure !== null && "_tag" in failure && failure._tag === "ShowHelp") {
    return "errors" in failure && Array.isArray(failure.errors) && failure.errors.length === 0
      ? exitCodes.done
      : exitCodes.usage
  }
  const told = tell(failure)
  if (told !== null) {
    for (const sentence of told.sentences) process.stderr.write(`${escapeText(sentence)}\n`)
    return told.code
  }
  process.stderr.write(`This is a fault of TinyScheduler, please report it:\n${Cause.pretty(exit.cause)}\n`)
  return exitCodes.passHadErrors
}

/** Interrupts the program at the first signal; a second one ends the process at once. */
const onSignals = (interrupt: () => void): (() => void) => {
  let asked = false
  const onSignal = () => {
    if (asked) process.exit(exitCodes.interrupted)
    asked = true
    interrupt()
  }
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  return () => {
    process.off("SIGINT", onSignal)
    process.off("SIGTERM", onSignal)
  }
}

/** A shell may stand in a directory that somebody has removed. */
const isSomewhere = (): boolean => Result.isSuccess(Result.try(() => process.cwd()))

/** How long what was said last may take to whoever reads it. */
const lastWordsMs = 1000

/** Ends a process that was asked to end, though nobody reads its log any more. */
const leaveAtLast = (code: number): void => {
  setTimeout(() => process.exit(code), lastWordsMs).unref()
}

/** Runs one command line to its end and answers its exit code. */
export const main = async (argv: ReadonlyArray<string>): Promise<number> => {
  if (!isSomewhere()) {
    process.stderr.write("The working directory is gone; change into one that is there.\n")
    return exitCodes.usage
  }
  const onInterrupt = { code: exitCodes.interrupted as number }
  const program = Command.runWith(commands, { version })(argv).pipe(
    Effect.provideService(InterruptCode, onInterrupt),
    Effect.provide(Layer.mergeAll(NodeServices.layer, cliConfig, presenter))
  )
  // Before the program begins: its first steps are taken at once, and may already be what somebody wants to end.
  const asked = new AbortController()
  const leave = onSignals(() => {
    asked.abort()
  })
  const fiber = Effect.runFork(program, { signal: asked.signal })
  const exit = await new Promise<Exit.Exit<void, unknown>>((resolve) => {
    fiber.addObserver(resolve)
  })
  leave()
  const code = report(exit, onInterrupt.code)
  if (onInterrupt.code === exitCodes.done) leaveAtLast(code)
  return code
}
