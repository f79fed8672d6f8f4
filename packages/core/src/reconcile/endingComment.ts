/** The comment that tells a task of an ending that is no success: what happened, and who has to move next. */
import type { AgentName, Token } from "../domain/identifiers.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { quoteLine, quoteOutput } from "./quoteOutput.ts"

/** What marks a comment as ours for one attempt. */
const commentMark = (token: Token): string => `[tinyscheduler ${token}]`

/**
 * Whether a comment tells of this attempt's ending: it begins with the mark. A person who quotes ours, and an output that
 * quotes another's, say nothing; an agent that knows its own token can at most silence the comment on itself.
 */
export const tellsOf = (token: Token, comment: string): boolean => comment.trimStart().startsWith(commentMark(token))

export interface ToldEnding {
  readonly taskId: number
  readonly token: Token
  readonly agent: AgentName
  readonly attempt: number
  readonly outcome: Outcome
  readonly detail: string
  readonly tail: string | null
  readonly parked: boolean
  /** No further attempt before this moment. */
  readonly notBefore: string | null
}

const nextOf = ({ notBefore, parked, taskId }: ToldEnding): ReadonlyArray<string> => {
  if (parked) return [`It is parked: no further attempt until \`tinyscheduler retry ${taskId}\`.`]
  return notBefore === null ? [] : [`The next attempt begins after ${notBefore}.`]
}

/** At most some 3 000 characters: bounded detail, bounded quote. */
export const endingComment = (ended: ToldEnding): string => {
  const { agent, attempt, detail, outcome, tail, token } = ended
  const quote = quoteOutput(tail ?? "")
  return [
    `${commentMark(token)} attempt ${attempt} by ${agent}: ${outcome} (${quoteLine(detail)}).`,
    ...nextOf(ended),
    ...(quote === "" ? [] : ["", "The end of its output:", "", quote])
  ].join("\n")
}
