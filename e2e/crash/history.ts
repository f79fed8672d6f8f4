/** One history: what the scenario begins with, the victim up to its crash, the recovery, the verdict. */
import { join } from "node:path"
import { recover } from "./recovery.ts"
import type { Scenario } from "./scenarios.ts"
import type { Kept, Stage } from "./Stage.ts"
import { supervisorCommand } from "./supervisors.ts"
import { type Ending, type Hold, trace } from "./tracing.ts"
import { violationsOf } from "./verdicts.ts"

export interface Played extends Ending {
  readonly violations: ReadonlyArray<string>
}

export interface Beginning {
  readonly scenario: Scenario
  readonly kept: Kept
}

export const play = async (stage: Stage, { kept, scenario }: Beginning, hold: Hold | null): Promise<Played> => {
  await stage.putBack(kept)
  await scenario.enliven?.(stage)
  const command = scenario.victim === "pass" ? stage.passCommand : supervisorCommand(stage)
  const victim = trace(command, { logFile: join(stage.folder, "strace.log"), base: stage.base }, hold)
  const [ending] = await Promise.all([victim.ended, scenario.meanwhile?.(stage, victim.isOver)])
  const recovered = await recover(stage, scenario)
  victim.forget()
  return { ...ending, violations: violationsOf(stage, scenario, recovered) }
}
