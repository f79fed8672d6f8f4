/** The dry run: the same plan as the pass that follows, and not one byte changed. */
import { expect, it } from "vitest"
import { digestOf, type Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { until } from "./harness/until.ts"

interface PlanJson {
  readonly precondition: string
  readonly verdicts: ReadonlyArray<{ readonly _tag: string; readonly taskId: number }>
  readonly actions: ReadonlyArray<{ readonly _tag: string }>
  readonly usage: unknown
}

/** What of a plan does not depend on the moment at which it was made. */
const decisions = ({ actions, precondition, usage, verdicts }: PlanJson) => ({ actions, precondition, usage, verdicts })

/** No beat falls between two digests. */
const flags = (ground: Ground): ReadonlyArray<string> => [...ground.endpoint, "--heartbeat", "600"]

/** With something to log about: a notice, and every detail. */
const talkative = { env: { TINYSCHEDULER_BIN_DIR: "/bin", TINYSCHEDULER_LOG_LEVEL: "DEBUG" } }

const dryPlan = async (ground: Ground): Promise<PlanJson> => {
  const { code, stderr, stdout } = await ground.cli(
    ["run", "--once", "--dry-run", "--json", ...flags(ground)],
    talkative
  )
  expect(stderr).toContain("TINYSCHEDULER_BIN_DIR is accepted for compatibility and not used")
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

const realPlan = async (ground: Ground): Promise<PlanJson> => {
  const { stdout } = await ground.cli(["run", "--once", "--json", ...flags(ground)])
  const { plans }: { readonly plans: ReadonlyArray<PlanJson> } = JSON.parse(stdout)
  const [first] = plans
  if (first === undefined) throw new Error("the pass made no plan")
  return first
}

/** A queue with everything in it: ready, blocked, a parent, recipes that are missing, nobody's queue. */
const fillQueue = async (ground: Ground): Promise<void> => {
  const { tinytask } = ground
  for (let number = 0; number < 12; number += 1) await tinytask.add({ queue: "dev", priority: number % 4 })
  const root = await tinytask.add({ queue: "qa" })
  await tinytask.add({ queue: "dev", blockedBy: root })
  const parent = await tinytask.add({ queue: "dev" })
  await tinytask.add({ queue: "qa", parent })
  await tinytask.add({ queue: "dev", tags: ["recipe:missing.yaml"] })
  await tinytask.add({ queue: "nobody's" })
  await tinytask.add({ assignee: "a stranger" })
  await tinytask.add({ queue: "dev", assignee: "damien" })
}

it("a dry run against a filled queue creates and changes nothing, and its plan is the plan of the pass that follows", async () => {
  const ground = await makeGround()
  ground.agents([
    { agentName: "vaela", agentType: "dev", slots: 3, command: ["/bin/sleep", "1000"], recipe: "vaela.yaml" },
    ground.worker("damien", "dev", { slots: 2, env: { WORK_MS: "1-2" } }),
    ground.worker("oscar", ["qa", "dev"], { env: { WORK_MS: "1-2" } })
  ])
  ground.write("recipes/vaela.yaml", "version: 1.0.0\n")
  await fillQueue(ground)
  const digest = () => ({
    files: digestOf(treeOf(ground.base).join("\n")),
    tasks: digestOf(ground.tinytask.database.dump())
  })

  const untouched = digest()
  const planned = await dryPlan(ground)
  const text = await ground.cli(["run", "--once", "--dry-run", ...ground.endpoint])
  const asDaemon = await ground.cli(["run", "--daemon", "--dry-run", ...ground.endpoint])
  expect(digest()).toEqual(untouched)
  expect(ground.files("")).toEqual([])
  expect([text.code, asDaemon.code]).toEqual([0, 0])
  expect(planned.actions.filter(({ _tag }) => _tag === "Start")).toHaveLength(6)
  expect(planned.verdicts).toHaveLength(20)
  expect(decisions(await realPlan(ground))).toEqual(decisions(planned))

  // And once more with attempts in every phase: ended ones to finish, others that run.
  await until("three run, and what the others ran has ended", () => {
    const leases = ground.tinytask.database.tasks().map(({ id }) => ground.lease(id)?.phase)
    return leases.filter((phase) => phase === "finished").length === 3 && !leases.includes("starting")
  })
  const before = digest()
  const again = await dryPlan(ground)
  expect(digest()).toEqual(before)
  expect(again.actions.filter(({ _tag }) => _tag === "End").length).toBe(3)
  expect(decisions(await realPlan(ground))).toEqual(decisions(again))
})
