/** `up`: the embedded Tinytask and the daemon in one process, for those who run no Tinytask of their own. */
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { configuration, reloadable } from "../flags.ts"
import { startEmbedded } from "../embeddedServer.ts"
import { endsWhenAsked } from "../interruption.ts"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { makeNarrator } from "../output/narration.ts"
import { daemon } from "../scheduling/daemon.ts"
import { fixedConfiguration, liveConfiguration } from "../scheduling/liveConfiguration.ts"
import { tellNotices } from "../scheduling/lock.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

/** The same configuration, with the embedded server as its Tinytask. */
export const withEndpoint = (config: Configuration, url: string): Configuration => ({
  ...config,
  settings: { ...config.settings, mcpEndpoint: url },
  desired: { ...config.desired, endpoint: url }
})

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))

export const serverFlags = {
  port: Flag.Int("port").pipe(
    Flag.withSchema(Port),
    Flag.withDescription("Port to listen on; 0 takes a free one"),
    Flag.withDefault(3000)
  ),
  // An empty address would be every address of the machine.
  host: Flag.String("host").pipe(
    Flag.withSchema(Schema.NonEmptyString),
    Flag.withDescription("Address to listen on"),
    Flag.withDefault("127.0.0.1")
  ),
  db: Flag.String("db").pipe(
    Flag.withSchema(Schema.NonEmptyString),
    Flag.withDescription("Its database file, relative to the base path"),
    Flag.withDefault("state/tinytask.db")
  )
}

export const upCommand = Command.make(
  "up",
  serverFlags,
  Effect.fn("cli.up")(function* ({ db, host, port }) {
    yield* endsWhenAsked
    const config = yield* configuration
    if (config.settings.dryRun) {
      const faults = [
        "up has no dry run: it serves tasks and starts agents; run --once --dry-run says what it would do"
      ]
      return yield* new ConfigurationError({ faults })
    }
    // The embedded server's address is known once it listens; until then only the settings of logs are asked for.
    let live = fixedConfiguration(config)
    const program = Effect.gen(function* () {
      yield* tellNotices(config)
      const { url } = yield* startEmbedded({ databasePath: resolve(config.paths.base, db), host, port })
      yield* Effect.logInfo(`Tinytask listens at ${url}`)
      const load = Effect.map(yield* reloadable, (loaded) => withEndpoint(loaded, url))
      live = liveConfiguration(withEndpoint(config, url), load)
      yield* daemon({ live, narrator: makeNarrator("daemon") }).pipe(
        Effect.provide(layerPorts(live.current(), "writes", live.current))
      )
    })
    yield* Effect.scoped(program).pipe(Effect.provide(layerLogging(() => live.current().settings, config.paths)))
  })
).pipe(Command.withDescription("Run a Tinytask of our own and the daemon in one process"))
