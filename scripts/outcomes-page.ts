/** Writes docs/outcomes.md from the tables of endings and outcomes; `--check` only says whether it differs. */
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import { Outcome, outcomeRules } from "@tinyscheduler/core/domain/Outcome"
import type { Budget, TaskFate, Wait } from "@tinyscheduler/core/domain/Outcome"
import { backoffMs } from "@tinyscheduler/core/reconcile/backoff"
import { endingRules } from "@tinyscheduler/core/reconcile/endingRules"
import { startFailuresMax } from "@tinyscheduler/core/reconcile/recordEnding"

const { backoffBaseSec, backoffMaxSec, maxAttempts, maxLost } = policyDefaults

const budgets: { readonly [K in Budget]: string } = {
  failures: "a failure",
  losses: "a loss",
  park: "parked at once",
  reset: "clears both counts",
  none: "nothing"
}

const fates: { readonly [K in TaskFate]: string } = {
  complete: "set complete, if it is not yet",
  "give-back": "gets back the status and assignee it had",
  leave: "left as it is"
}

const waits: { readonly [K in Wait]: string } = {
  backoff: "after its backoff",
  reset: "after the limit's reset, if told; else its backoff",
  none: ""
}

/** What an operator can do about each. */
const advice: { readonly [K in Outcome]: string } = {
  done: "",
  failed: "read the comment and the log, mend the cause",
  unreported:
    "see that the agent's recipe or prompt makes it complete its task; read the log for an error it swallowed",
  "timed-out": "raise `maxRuntimeSec`, or make the task smaller",
  stalled: "run the agent in its unattended mode; raise `idleTimeoutSec` if it works long without a word",
  "rate-limited": "fewer slots for the agents of this provider, or another plan there",
  auth: "log the agent in again, or mend its key; then `tinyscheduler retry 42`",
  "handed-over": "",
  void: "",
  stopped: "`tinyscheduler retry 42` ends its wait",
  lost: "see what killed it: a reboot, the memory killer, a service manager; `KillMode=process` keeps agents alive",
  "start-failed": "`tinyscheduler validate-config` says what is wrong with its program"
}

const cells = (row: ReadonlyArray<string>): string =>
  `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`

const ruleRows = endingRules.map(({ id, outcome, when }, at) =>
  cells([String(at + 1), `\`${id}\``, when, `**${outcome}**`])
)

const outcomeRows = Outcome.literals.map((outcome) => {
  const { budget, comment, next, task, wait } = outcomeRules[outcome]
  const again = budget === "park" ? "when somebody releases it" : waits[wait]
  return cells([`**${outcome}**`, fates[task], budgets[budget], again, comment ? "yes" : "no", next, advice[outcome]])
})

/** The shortest and the longest wait that any task gets after so many failures, by the function that decides. */
const waitAfter = (count: number): string => {
  const delays = Array.from({ length: 2000 }, (_, at) =>
    backoffMs({ count, baseSec: backoffBaseSec, maxSec: backoffMaxSec, taskId: at + 1, attempt: count })
  )
  return cells([
    String(count),
    `${Math.floor(Math.min(...delays) / 1000)} to ${Math.ceil(Math.max(...delays) / 1000)} s`
  ])
}

export const outcomesPage = `# Outcomes

Written by \`npx -y pnpm@12 docs\` from the two tables by which attempts are judged. A test tries every combination of what
the first can be asked about, and another sees that this page is what they say.

## How an attempt ended

An attempt is judged once, when nothing of it lives: from top to bottom, the first row that is true. The outcome is
recorded before anything is done about it, so that a crash in between changes nothing.

| | rule | when | outcome |
|---|---|---|---|
${ruleRows.join("\n")}

What we stopped to clear away what a finished agent had left (\`leftovers\`) is judged as if we had not. An attempt whose
start was undone is **void** if its task changed meanwhile, else **start-failed**.

## What follows

| outcome | the task | counts as | next attempt | comment | who moves next | what to do |
|---|---|---|---|---|---|---|
${outcomeRows.join("\n")}

The task is changed only where its status and assignee are still what we set: what a person did meanwhile stands.

## Counting and waiting

Failures and losses are counted apart, in the task's file under \`state/attempts\`, and so survive every restart. At
${maxAttempts} failures (\`TINYSCHEDULER_MAX_ATTEMPTS\`) or ${maxLost} losses (\`TINYSCHEDULER_MAX_LOST\`) the task is **parked**: \`status\` and its
last comment say so, and no attempt begins until \`tinyscheduler retry 42\`, which clears both counts, as
done and handed-over do. An agent whose starts failed ${startFailuresMax} times in a row is set aside for as long, whatever the
task.

The wait grows with the count it belongs to, from \`TINYSCHEDULER_BACKOFF_BASE_SEC\` (${backoffBaseSec}) up to
\`TINYSCHEDULER_BACKOFF_MAX_SEC\` (${backoffMaxSec}), less a fifth at most that differs from task to task, and is the same after every
restart:

| count | wait |
|---|---|
${[1, 2, 3, 5, 9].map(waitAfter).join("\n")}

The moment stands in the file as a time of day. One that is further off than the longest backoff counts as past: the clock
was set back. For the same reason a rate limit's reset is awaited for the longest backoff at most; a limit that resets
later is run into again meanwhile, and each time counts as a loss. Where windows of hours are common, set
\`TINYSCHEDULER_BACKOFF_MAX_SEC\` to their length.

## What an agent's events say

The last word of a run is read from its output where its command prints events, and only then: Goose as we start it (or
with \`--output-format stream-json\`), \`claude\` with \`--output-format stream-json\` or \`json\`, \`codex exec --json\`.

| program | rate-limited | auth | failed |
|---|---|---|---|
| Goose | \`error\` whose text begins with \`Rate limit exceeded:\` | \`Authentication error:\` | any other \`error\` |
| Claude Code | \`result\` with \`is_error\` and \`api_error_status\` 429, or after a \`rate_limit_event\` that was \`rejected\` (its \`resetsAt\` is the reset) or an \`assistant\` with \`error: rate_limit\` | 401, or \`authentication_failed\` | any other \`is_error\`, or a \`subtype\` other than \`success\` |
| Codex | \`turn.failed\` whose message begins with \`You've hit your usage limit\` or \`exceeded retry limit, last status: 429\` | \`unexpected status 401\`, or the same with 401 | any other \`turn.failed\` |

Goose's older loop makes its last message of such an error (\`Ran into this error: …\`) and goes on to \`complete\`; that is
read too. What a model writes, a tool prints or a person quotes is no event, whatever words are in it. That a run calls
itself complete never makes its task done. Each event also is a sign that the agent is at work, and there nothing else is:
what its servers print beside them does not keep it from being **stalled**. Output of any other program is judged by the agent's \`success\` alone.

## The comment

It begins with \`[tinyscheduler <token>]\`, which names the attempt, and says the outcome, its cause and what comes next;
then the end of the output, at most 40 lines and 2 000 characters, indented, without colours, with control characters
spelled out. All of it stays under 6 000 characters. It is written once: before, the task's comments are read, also after a
crash or an answer that did not come, and one that begins with the mark counts as told. The mark within a quote does not.

- The values of the agent's own variables whose names say that they are secret (\`KEY\`, \`TOKEN\`, \`SECRET\`, \`PASSW\`,
  \`CREDENTIAL\`; at least 8 characters) are replaced by those names, and \`TINYSCHEDULER_MCP_TOKEN\` too. The log under
  \`state/logs\`, for its owner only, is as the agent wrote it. Secrets that an agent reads elsewhere are not known.
- An agent knows its own token, and Tinytask asks nobody who he is. One that forges the mark on its own task silences the
  comment on itself. Its outcome, counts, parking, the history and \`status\` are not touched by any comment.
`

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), "docs/outcomes.md")

if (import.meta.main) {
  if (!process.argv.includes("--check")) writeFileSync(path, outcomesPage)
  else if (readFileSync(path, "utf8") !== outcomesPage) {
    process.stderr.write("docs/outcomes.md is not what the tables say; run: npx -y pnpm@12 docs\n")
    process.exitCode = 1
  }
}
