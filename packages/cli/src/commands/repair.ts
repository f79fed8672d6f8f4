/**
 * `repair`: finds what people broke by hand, and mends what can be proven dead. With `--dry-run` it only tells. While
 * another process holds the lock that one is asked: two writers would be one too many.
 */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { Requests } from "@tinyscheduler/core/ports/Requests"
import { careOf, keyOf } from "@tinyscheduler/core/repair/Finding"
import type { Finding } from "@tinyscheduler/core/repair/Finding"
import { lookAndFind, repair } from "@tinyscheduler/core/repair/repair"
import type { RepairReport } from "@tinyscheduler/core/repair/repair"
import { json, waitFlags } from "../asking/askFlags.ts"
import { standsAnyway } from "../asking/askAndTell.ts"
import type { AskOptions } from "../asking/askAndTell.ts"
import { runAsking } from "../asking/commandProgram.ts"
import { awaitAnswer } from "../asking/deliver.ts"
import { newRequest } from "../asking/newRequest.ts"
import { acceptedBy } from "../asking/tellAnswer.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { makeNarrator } from "../output/narration.ts"
import { print, printJson } from "../output/print.ts"
import { isUnfinished, outputOfFound, outputOfReport, repairText } from "../output/repairText.ts"
import { holdLock, startTroubles, tellNotices } from "../scheduling/lock.ts"
import type { Configuration } from "../settings/Configuration.ts"

interface RepairOptions extends AskOptions {
  readonly purge: boolean
}

interface Found {
  readonly found: ReadonlyArray<Finding>
  readonly tinytaskProblem: string | null
}

const pathsOf = (found: ReadonlyArray<Finding>): ReadonlyArray<string> =>
  found.flatMap((finding) => (finding._tag === "Litter" ? finding.paths : []))

/** Whoever takes the lock sweeps leftovers: what was swept is told, what could not be, and not what the repair itself left. */
const withSweeping = (report: RepairReport, before: Found): RepairReport => {
  const after = pathsOf(report.left)
  const swept = pathsOf(before.found).filter((path) => !after.includes(path))
  const stuck = pathsOf(before.found).filter((path) => after.includes(path))
  const litter = (paths: ReadonlyArray<string>): ReadonlyArray<Finding> =>
    paths.length === 0 ? [] : [{ _tag: "Litter", paths }]
  const error = "it can't be removed by this user"
  return {
    ...report,
    mended: [...litter(swept), ...report.mended],
    failed: [...report.failed, ...litter(stuck).map((finding) => ({ finding, error }))],
    left: report.left.filter((finding) => !isLitter(finding))
  }
}

const isLitter = ({ _tag }: Finding): boolean => _tag === "Litter"

const mendHere = Effect.fn("repair.mendHere")(function* (config: Configuration, before: Found, purge: boolean) {
  const input = yield* holdLock(config, makeNarrator("once"), yield* makePassMemory)
  for (const trouble of startTroubles(input)) yield* Effect.logError(trouble)
  const report = yield* repair({ desired: config.desired, purge })
  return outputOfReport(withSweeping(report, before))
})

const askHolder = Effect.fn("repair.askHolder")(function* (
  config: Configuration,
  before: Found,
  holder: string | null,
  { purge, wait, waitTimeout }: RepairOptions
) {
  const mendable = before.found.filter((finding) => careOf(finding) === "mend" && !isLitter(finding))
  // Its leftovers are swept by whoever takes the lock next.
  const found = before.found.filter((finding) => !isLitter(finding))
  if (mendable.length === 0) return outputOfFound(found, before.tinytaskProblem)
  const requests = yield* Requests
  const request = { ...(yield* newRequest), kind: "repair" as const, ...(purge ? { purge } : {}) }
  yield* requests.submit(request)
  const accepted = acceptedBy(holder)
  if (!wait) return outputOfFound(found, before.tinytaskProblem, accepted)
  const answer = yield* awaitAnswer(config, request, waitTimeout * 1000).pipe(
    standsAnyway(`The request stands: ${accepted}.`)
  )
  const after = yield* lookAndFind({ desired: config.desired, purge })
  const left = after.found.filter((finding) => !isLitter(finding))
  const keys = new Set(left.map(keyOf))
  const mended = mendable.filter((finding) => !keys.has(keyOf(finding)))
  const says = answer === null ? `not yet: ${accepted}` : answer.says
  return outputOfReport({ mended, failed: [], left, tinytaskProblem: after.tinytaskProblem }, says)
})

const findAndMend = Effect.fn("repair.findAndMend")(function* (config: Configuration, options: RepairOptions) {
  const { purge } = options
  const before = yield* lookAndFind({ desired: config.desired, purge })
  if (config.settings.dryRun) return outputOfFound(before.found, before.tinytaskProblem)
  return yield* mendHere(config, before, purge).pipe(
    Effect.catchTag("LockHeld", ({ holder }) => askHolder(config, before, holder, options))
  )
})

const program = Effect.fn("repair")(function* (config: Configuration, options: RepairOptions) {
  yield* tellNotices(config)
  const output = yield* findAndMend(config, options)
  yield* options.json ? printJson(output) : print(repairText(output))
  if (output.tinytaskProblem !== null) {
    yield* Effect.logError(`${output.tinytaskProblem}; its tasks were not looked at`)
  }
  if (isUnfinished(output)) return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

export const repairCommand = Command.make(
  "repair",
  {
    purge: Flag.Boolean("purge").pipe(
      Flag.withDescription("Remove what was set aside, by passes and by repairs"),
      Flag.withDefault(false)
    ),
    json,
    ...waitFlags("the scheduler that holds the lock has carried it out")
  },
  Effect.fn("cli.repair")(function* (options) {
    const config = yield* configuration
    yield* runAsking(config, program(config, options))
  })
).pipe(Command.withDescription("Find what was broken by hand, and mend what can be proven dead"))
