/** What one check found out: how bad it is, about what, and what to do about it. */

export type Area = "settings" | "machine" | "clock" | "directories" | "agents" | "recipes" | "programs" | "tinytask"

export interface Check {
  readonly level: "ok" | "warning" | "error"
  readonly area: Area
  /** The thing: a path, an agent's recipe, a program. */
  readonly what: string
  readonly says: string
  /** Null where there is nothing to do. */
  readonly todo: string | null
}

/** The makers of one area's checks. */
export const checksOf = (area: Area) => ({
  ok: (what: string, says: string): Check => ({ level: "ok", area, what, says, todo: null }),
  warning: (what: string, says: string, todo: string): Check => ({ level: "warning", area, what, says, todo }),
  error: (what: string, says: string, todo: string): Check => ({ level: "error", area, what, says, todo })
})

/** "1 agent", "2 agents". */
export const counted = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`
