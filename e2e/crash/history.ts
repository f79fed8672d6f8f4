/** One history: what the scenario begins with, the victim up to its crash, the recovery, the verdict. */
import { join } from "node:path"
import { recover } from "./recovery.ts"
import type { Scenario } from "./scenarios.ts"
import type { Stage } from "./Stage.ts"
import { supervisorCommand } from "./supervisors.ts"
import { type Ending, type Hold, trace } from "./tracing.ts"
import { violationsOf } from "./verdicts.ts"

export interface Played extends Ending {
  readonly violations: ReadonlyArray<string>
}

const kept = "kept"

export const prepare = async (stage: Stage, scenario: Scenario): Promise<void> => {
  stage.begin(scenario.agents, scenario.flags ?? [])
  await scenario.prepare(stage)
  stage.keep(kept)
}

export const play = async (stage: Stage, scenario: Scenario, hold: Hold | null): Promise<Played> => {
  await stage.putBack(kept)
  await scenario.enliven?.(stage)
  const command = scenario.victim === "pass" ? stage.passCommand : supervisorCommand(stage)
  const victim = trace(command, { logFile: join(stage.folder, "strace.log"), base: stage.base }, hold)
  const [ending] = await Promise.all([victim.ended, scenario.meanwhile?.(stage, victim.isOver)])
  const recovered = await recover(stage, scenario)
  victim.forget()
  return { ...ending, violations: violationsOf(stage, scenario, recovered) }
}
