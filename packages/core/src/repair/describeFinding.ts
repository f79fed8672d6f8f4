/** A finding in words: what was found, why it matters, and what a repair does or only a person can. */
import { describeDuration } from "../domain/durationText.ts"
import type { Finding, Hindrance } from "./Finding.ts"

export interface Described {
  readonly found: string
  readonly because: string
  /** What a repair does; of what only a person can mend: what to do, with the command. */
  readonly todo: string
}

const most = 8

const pidsText = (pids: ReadonlyArray<number>): string =>
  `${pids.length === 1 ? "process" : "processes"} ${pids.slice(0, most).join(" ")}${pids.length > most ? ` and ${pids.length - most} more` : ""}`

const kill = (pids: ReadonlyArray<number>, signal: "TERM" | "KILL"): string =>
  `kill -${signal} ${pids.slice(0, most).join(" ")}`

/** As one word of a shell, so that a command can be copied whatever the path. */
const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

const thenAgain = (pids: ReadonlyArray<number>): string =>
  `let ${pids.length === 1 ? "it" : "them"} end, or look at ${pids.length === 1 ? "it" : "them"} and end ${pids.length === 1 ? "it" : "them"} (${kill(pids, "TERM")}); then repair again`

/** None are left where the kernel shows them as 0, for their pid namespace can't be seen. */
const ofSurvivors = (pids: ReadonlyArray<number>, signal: "TERM" | "KILL"): string =>
  pids.length === 0
    ? "look at the attempt's cgroup from where its processes can be seen, as on the host, and end them there"
    : `look at them (ps -fp ${pids.slice(0, most).join(",")}), and end them if they are of that attempt: ${kill(pids, signal)}`

const ofHindrance = (hindrance: Hindrance, path: string): string => {
  switch (hindrance._tag) {
    case "Alive":
      return `what it stands for lives, as ${pidsText(hindrance.pids)}: ${thenAgain(hindrance.pids)}`
    case "Unaccounted":
      return `nothing says which attempt it stands for, and ${pidsText(hindrance.pids)} may be of it: when you know that they are another scheduler's, move the file away (mv ${word(path)} ${word(`${path}.aside`)}); else ${thenAgain(hindrance.pids)}`
    case "OtherHost":
      return `it names the machine ${hindrance.host}, whose processes can't be seen from here: when nothing of it runs there, move it away (mv ${word(path)} ${word(`${path}.aside`)})`
    case "Untrusted":
      return `when its content is right: chown "$(id -u)" ${word(path)} && chmod 600 ${word(path)}; else remove it once nothing of it lives`
  }
}

/** Of an attempts file: without it an attempt that is open would be forgotten, so it is never to be moved away. */
const ofAttemptsHindrance = (hindrance: Hindrance, path: string): string => {
  switch (hindrance._tag) {
    case "Alive":
    case "Unaccounted":
      return `a start that it may tell of may live, as ${pidsText(hindrance.pids)}: ${thenAgain(hindrance.pids)}`
    case "OtherHost":
    case "Untrusted":
      return `when its content is right: chown "$(id -u)" ${word(path)} && chmod 600 ${word(path)}`
  }
}

const held = (path: string, hindrance: Hindrance | null, aside: string): string =>
  hindrance === null ? aside : ofHindrance(hindrance, path)

const unproven = {
  "never-started": "nothing here tells of an attempt at it, so a person or another tool may have taken it in that name",
  "another-task": "the attempts here were at another task of that number, or of another Tinytask",
  "another-agent": "the last attempt at it was another agent's"
} as const

const oddities = {
  missing: "is missing",
  unreadable: "can't be read",
  "contradicts-claim": "contradicts its claim"
} as const

export const describeFinding = (finding: Finding): Described => {
  switch (finding._tag) {
    case "ForgottenTask":
      return {
        found: `task ${finding.taskId} is working in the name of ${finding.agent}, and nobody works on it`,
        because: `epoch ${finding.epoch} took it and has ended; no lease, no claim and no living process of it is left, so it would stay working for ever`,
        todo: `set it back to ${finding.prior.assignee === null ? "idle and unassigned" : `idle, assigned to ${finding.prior.assignee}`}, with a comment`
      }
    case "LivingTask":
      return {
        found: `task ${finding.taskId} is working in the name of ${finding.agent}, without a lease`,
        because: `${pidsText(finding.pids)} of an attempt at it live, this scheduler's or another's: a second one beside them would be one too many`,
        todo: `look at them (ps -fp ${finding.pids.slice(0, most).join(",")}); let them end by themselves, or end them (${kill(finding.pids, "TERM")}); then repair again`
      }
    case "UnprovenTask":
      return {
        found: `task ${finding.taskId} is working in the name of ${finding.agent}, and no attempt of ours is under way`,
        because: unproven[finding.why],
        todo: `ask whoever took it; if nobody works on it, set it to idle and unassigned in Tinytask (update_task with id ${finding.taskId}, status "idle", assigned_to "")`
      }
    case "UnreadableLease":
      return {
        found: `the lease of task ${finding.taskId} can't be read: ${finding.path} ${finding.problem}`,
        because: `no claim tells what it stood for, so the task is held${finding.agent === null ? "" : `, and a slot of ${finding.agent} with it`}`,
        todo: held(finding.path, finding.hindrance, "set it aside: nothing that it could stand for lives")
      }
    case "UnreadableClaim":
      return {
        found: `the claim of task ${finding.taskId}, epoch ${finding.epoch}, can't be read: ${finding.path} ${finding.problem}`,
        because: "nobody can say who won that epoch, so the task is held",
        todo: held(finding.path, finding.hindrance, "set it aside: nothing that it could stand for lives")
      }
    case "UnreadableAttempts":
      return {
        found: `the attempts file of task ${finding.taskId} can't be read: ${finding.problem}`,
        because: "it may tell of a start that is open, so the task is held",
        todo:
          finding.hindrance !== null
            ? ofAttemptsHindrance(finding.hindrance, finding.path ?? `state/attempts/task_${finding.taskId}.json`)
            : finding.rebuilt === null
              ? "repair again when Tinytask and the history can be read: from both it is written anew"
              : "keep it aside, and write it anew from lease, claims, history and logs; a release by hand is not among them"
      }
    case "LostAttempts":
      return {
        found: `task ${finding.taskId} has no attempts file`,
        because:
          "the history tells of attempts at it, and without the file their epochs, counts and backoff would begin anew",
        todo: "write it anew from lease, claims, history and logs"
      }
    case "UnreadableAgents":
      return {
        found: `the agents' records can't be read: ${finding.problem}`,
        because: "who is paused is not known, so nothing starts",
        todo: "keep them aside, begin new ones, and pause all agents together; then resume: tinyscheduler resume"
      }
    case "UnreadableTerm":
      return {
        found: finding.problem,
        because: "a scheduler that can't raise its term writes nothing",
        todo: "move it away: the next scheduler begins after the largest term of all leases"
      }
    case "OddLease":
      return {
        found: `the lease of task ${finding.taskId}, epoch ${finding.epoch}, ${oddities[finding.oddity]}`,
        because: `its supervisor, process ${finding.pid}, lives and writes it anew with its next beat; if it is found again after a minute, that process hangs, and holds the task`,
        todo: `repair again after a minute; if it is still there: ${kill([finding.pid], "KILL")}, and the next pass ends its agent`
      }
    case "Survivors":
      return {
        found: `${pidsText(finding.pids)} of task ${finding.taskId}, epoch ${finding.epoch}, ${finding.pids.length === 1 ? "lives" : "live"} on`,
        because:
          finding.why === "killed-and-alive"
            ? "what of them is certainly ours was sent SIGKILL; what is left waits for a disk, or its group's leader is gone and nobody can prove that it is ours, so no signal is sent"
            : "they are of an attempt whose files say no more, and hold the task until they end",
        todo: ofSurvivors(
          finding.pids.filter((pid) => pid > 0),
          finding.why === "killed-and-alive" ? "KILL" : "TERM"
        )
      }
    case "UnknownLiveness":
      return {
        found: `nobody can say here whether task ${finding.taskId}, epoch ${finding.epoch}, runs`,
        because: `its processes are${finding.host === null ? " " : ` on ${finding.host} or `}where they can't be seen from, and no clock gives it up`,
        todo: "when nothing of it runs there: tinyscheduler run --once --unknown-lost 60, again after a minute"
      }
    case "OtherEndpoint":
      return {
        found: `the attempt at task ${finding.taskId} is of the Tinytask at ${finding.endpoint}`,
        because: "what another Tinytask says of that number is nothing, so its slot is held until that one is asked",
        todo: `tinyscheduler run --once --enabled=false --mcp-endpoint ${word(finding.endpoint)}`
      }
    case "EpochsUsedUp":
      return {
        found: `the epochs of task ${finding.taskId} are used up: a file names epoch ${finding.epoch}`,
        because: "an epoch is never used twice, so the task can't start again",
        todo: `find the file that somebody made, and move it away: ls -R state | grep ${finding.epoch}; grep -l ${finding.epoch} state/attempts/task_${finding.taskId}.json`
      }
    case "OrphanedStop":
      return {
        found: `task ${finding.taskId} has a stop record${finding.path === null ? "" : ` that can't be read (${finding.path})`}, and nothing to stop`,
        because: "no lease, claim or open start is left, and each pass looks for its processes in vain",
        todo: "remove it"
      }
    case "Litter":
      return {
        found: `${finding.paths.length} leftover${finding.paths.length === 1 ? "" : "s"} of writers and attempts that are gone: ${finding.paths.slice(0, most).join(" ")}${finding.paths.length > most ? " …" : ""}`,
        because: "a crash left them; nobody reads them",
        todo: "sweep them, as whoever takes the lock does"
      }
    case "UntrustedFile":
      return {
        found: `${finding.path} ${finding.problem}`,
        because: "somebody else may have written it, so it is not read",
        todo: `when its content is right: chown "$(id -u)" ${word(finding.path)} && chmod go-w ${word(finding.path)}`
      }
    case "StrangeFile":
      return {
        found: `${finding.path} is ${finding.what}`,
        because: "nothing of this program makes it, and nothing reads it",
        todo: "nothing; move it away if it is yours"
      }
    case "UnreadableHistory":
      return {
        found: `the history can't be read: ${finding.problem}`,
        because: "what it tells is what lost or unreadable attempts files are written anew from",
        todo: "make it readable for this user alone (chown to your user, chmod 600), then repair again"
      }
    case "TornHistory":
      return {
        found: `${finding.lines} line${finding.lines === 1 ? "" : "s"} of the history can't be read`,
        because: "a crash or a full disk tore them; readers leave them out",
        todo: "nothing"
      }
    case "AsideFile":
      return {
        found: `${finding.path}, set aside ${describeDuration(finding.ageMs)} ago: ${finding.holds}`,
        because: "it was in the way, and is kept for whoever wants to know why",
        todo: finding.purge ? "remove it" : "nothing; repair --purge removes it"
      }
  }
}
