/** `demo`; its own modules are loaded only when it runs. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"

export const demoCommand = Command.make(
  "demo",
  {
    keep: Flag.Boolean("keep").pipe(
      Flag.withDescription("Keep the folder with its state and logs"),
      Flag.withDefault(false)
    )
  },
  ({ keep }) => Effect.promise(() => import("../demo/demo.ts")).pipe(Effect.flatMap((demo) => demo.runDemo(keep)))
).pipe(Command.withDescription("Watch two dozen tasks run through five stand-in agents"))
