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
  }
}

const order = "Read {{promptFile}} and do what it says."

/** Goose alone completes its tasks itself, through its recipe; of the others the exit code counts. */
export const programFields: Readonly<Record<AgentProgram, ProgramFields>> = {
  goose: { title: "Goose, by a recipe", fields: {} },
  claude: { title: "Claude Code", fields: { command: ["claude", "-p", order, "--permission-mode", "acceptEdits"] } },
  codex: {
    title: "Codex",
    fields: { command: ["codex", "exec", "--skip-git-repo-check", "--sandbox", "workspace-write", order] }
  },
  gemini: {
    title: "Gemini CLI",
    // One process in place of two: it is the one that is told to stop.
    fields: {
      command: ["gemini", "--approval-mode", "yolo", "-p", order],
      env: { GEMINI_CLI_NO_RELAUNCH: "true" }
    }
  },
  opencode: { title: "opencode", fields: { command: ["opencode", "run", order] } }
}
