/** Writes docs/configuration.md from the table of settings; `--check` only says whether it differs. */
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Option from "effect/Option"
import { prefix, settingKeys, settingTable } from "tinyscheduler/settings/settingTable"

const rows = settingKeys.map((key) => {
  const { description, flag, standard, variable } = settingTable[key]
  const text = Option.getOrElse(standard, () => "")
  return `| \`${prefix}${variable}\` | \`--${flag}\` | ${text === "" ? "" : `\`${text}\``} | ${description.replaceAll("|", "\\|")} |`
})

export const configurationPage = `# Configuration

Precedence: flag, then environment, then \`.env\` (\`--env-file\`, else \`.env\` in the working directory), then default. An
empty variable counts as not set. Every flag may stand before or after the subcommand; a truth has \`--no-…\` too, and
\`--agent-limit name=number\` may be repeated. Relative paths are under the base path. \`tinyscheduler config --show\`
prints every value and where it came from; \`--json\` the same for programs.

\`AGENT_LIMITS\` and \`QUEUE_LIMITS\` take a JSON object (\`{"vaela": 3}\`) or pairs (\`vaela:3,damien:2\`).

| variable | flag | default | meaning |
|---|---|---|---|
${rows.join("\n")}

\`TINYSCHEDULER_BIN_DIR\` and \`TINYSCHEDULER_TASK_CACHE_DIR\` of the Python version are accepted and not used.
`

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), "docs/configuration.md")
if (import.meta.main) {
  if (process.argv.includes("--check")) {
    if (readFileSync(path, "utf8") !== configurationPage) {
      process.stderr.write("docs/configuration.md is not what the settings say; run: npx -y pnpm@12 docs\n")
      process.exitCode = 1
    }
  } else writeFileSync(path, configurationPage)
}
