/** The programs that `init` knows how to start without anybody watching, each as the fields of an entry. */

export const agentPrograms = ["goose", "claude", "codex", "gemini", "opencode"] as const
export type AgentProgram = (typeof agentPrograms)[number]

export const isAgentProgram = (name: string): name is AgentProgram => agentPrograms.some((known) => known === name)

interface ProgramFields {
  /** As people know it. */
  readonly title: string
  readonly fields: {
    readonly command?: ReadonlyArray<string>
    readonly env?: Readonly<Record<string, string>>
    readonly prompt?: string
    readonly success?: "json"
    readonly stopGraceSec?: number
  }
}

const order = "Read {{promptFile}} and do what it says."

/** Of these exit codes none says that the task is done, so the agent itself is to say it. */
const ownWord = {
  prompt:
    "Nobody will answer questions. End with one line: " +
    '{"status":"done"} if the task is done and checked, else {"status":"failed"}.',
  success: "json"
} as const

/** Goose completes its tasks itself, through its recipe. */
export const programFields: Readonly<Record<AgentProgram, ProgramFields>> = {
  goose: { title: "Goose, by a recipe", fields: {} },
  claude: {
    title: "Claude Code",
    fields: {
      command: ["claude", "-p", "--permission-mode", "acceptEdits", "--allowedTools", "Bash", "--", order],
      ...ownWord
    }
  },
  codex: {
    title: "Codex",
    fields: {
      command: ["codex", "exec", "--skip-git-repo-check", "--sandbox", "workspace-write", order],
      ...ownWord
    }
  },
  gemini: {
    title: "Gemini CLI",
    fields: {
      command: ["gemini", "--approval-mode", "yolo", "-p", order],
      // One process in place of two.
      env: { GEMINI_CLI_NO_RELAUNCH: "true" },
      ...ownWord,
      // It ignores every signal but the last.
      stopGraceSec: 2
    }
  },
  opencode: {
    title: "opencode",
    // Without --auto it waits for somebody to permit what it wants to do.
    fields: { command: ["opencode", "run", "--auto", order], ...ownWord }
  }
}
