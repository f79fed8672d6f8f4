/**
 * Step 2, stale: what becomes of an attempt. An ordered table of rules; the first that matches gives verdict and
 * actions. Death is proven, never assumed: what can't be proven is held, and says so.
 */
import {
  askedToStop,
  factsOf,
  isClaimedByAnother,
  isFinishedAndGone,
  isGivenUp,
  isRebuildable,
  isUndone,
  othersLive,
  silentTooLong,
  takenAway,
  tooLong,
  unclaimedFrom
} from "./attemptFacts.ts"
import type { AttemptContext, Facts } from "./attemptFacts.ts"
import { base, end, fromFault, judged, recordedEnding, running, startFailed, stop } from "./judgement.ts"
import type { Judgement } from "./judgement.ts"
interface Rule {
  readonly name: string
  readonly when: (facts: Facts) => boolean
  readonly judge: (facts: Facts) => Judgement
}

const rules: ReadonlyArray<Rule> = [
  {
    name: "its ending is recorded: the remaining steps are done",
    when: (facts) =>
      facts.view.recorded !== null && (facts.dead || isUndone(facts) || isFinishedAndGone(facts) || isGivenUp(facts)),
    judge: (facts) =>
      end({
        reason: "ending-continued",
        ending: recordedEnding,
        withoutProof: isGivenUp(facts) && !isFinishedAndGone(facts)
      })(facts)
  },
  {
    name: "a tombstone stands: the undo goes on",
    when: isUndone,
    judge: end({
      reason: "undo-continued",
      ending: (facts) => (facts.fault === null ? startFailed("nobody claimed it")() : fromFault(facts)),
      tombstone: true
    })
  },
  {
    name: "its start was given up by this process",
    when: (facts) => unclaimedFrom(facts) !== null && facts.fault !== null,
    judge: end({ reason: "start-given-up", ending: fromFault })
  },
  {
    name: "an intent of an earlier boot",
    when: (facts) => unclaimedFrom(facts) === "earlier-boot",
    judge: end({
      reason: "unclaimed",
      ending: startFailed("the machine was restarted before it began")
    })
  },
  {
    name: "nobody claimed it in time",
    when: (facts) =>
      unclaimedFrom(facts) === "here" &&
      facts.observed.monoMs - facts.startMonoMs >= facts.desired.policy.startGraceSec * 1000,
    judge: end({ reason: "unclaimed", ending: startFailed("nobody claimed it in time") })
  },
  {
    name: "an intent that may yet be claimed",
    when: (facts) => unclaimedFrom(facts) === "here",
    judge: running("starting")
  },
  {
    name: "the lease is lost or unreadable and its supervisor dead: rebuilt from the claim",
    when: isRebuildable,
    judge: (facts) => ({
      verdict: {
        _tag: "Running",
        ...base(facts),
        epoch: facts.view.reference.epoch,
        detail: facts.view.leaseFault ?? "lease-missing"
      },
      actions: [
        {
          _tag: "Rebuild",
          attempt: facts.view.reference,
          setAside: facts.view.leaseFault === "lease-missing" ? null : facts.view.leaseFault
        }
      ],
      nextMonoMs: null
    })
  },
  {
    name: "finished, and nothing of it lives",
    when: isFinishedAndGone,
    judge: end({ reason: "finished", ending: judged })
  },
  {
    name: "finished, but something of it lives",
    when: (facts) => facts.view.lease?.phase === "finished" && othersLive(facts),
    judge: stop(() => "leftovers")
  },
  {
    name: "proven dead without an ending",
    when: (facts) => facts.dead,
    judge: end({ reason: "dead", ending: judged })
  },
  {
    name: "nobody can say whether it lives, for too long",
    when: (facts) => facts.look.unknownTooLong,
    judge: end({
      reason: "unknown-too-long",
      // Where an ending is recorded already, that one is carried out.
      ending: () => ({ outcome: "lost", detail: "its liveness stayed unknown for too long" }),
      withoutProof: true
    })
  },
  {
    name: "nobody can say of the lease that contradicts its claim, but what the claim's agent left behind lives",
    when: (facts) => facts.view.orphaned && facts.view.evidence.supervisor !== "alive",
    judge: stop(() => "orphaned-agent")
  },
  {
    name: "nobody can say whether it lives",
    when: (facts) => facts.view.evidence.supervisor === "unknown" || facts.view.evidence.agent === "unknown",
    judge: running("liveness-unknown")
  },
  {
    name: "finished, and what it left behind was not looked for",
    when: (facts) => facts.view.lease?.phase === "finished",
    judge: running("liveness-unknown")
  },
  {
    name: "being stopped",
    when: (facts) => facts.view.stop !== null && facts.view.stop.bootId === facts.observed.here.bootId,
    judge: stop((facts) => facts.view.stop?.reason ?? "leftovers")
  },
  {
    name: "its supervisor is dead, its agent lives",
    when: (facts) => facts.view.evidence.supervisor === "dead" && othersLive(facts),
    judge: stop(() => "orphaned-agent")
  },
  {
    name: "its supervisor is dead, the rest was not looked for",
    when: (facts) => facts.view.evidence.supervisor === "dead",
    judge: running("supervisor-silent")
  },
  {
    name: "the lease is odd, its supervisor lives and writes it anew",
    when: (facts) => facts.view.leaseFault !== null,
    judge: running((facts) => facts.view.leaseFault ?? "lease-missing")
  },
  { name: "somebody asked for its stop", when: askedToStop, judge: stop(() => "requested") },
  { name: "it runs for too long", when: tooLong, judge: stop(() => "max-runtime") },
  { name: "its agent is silent for too long", when: silentTooLong, judge: stop(() => "idle") },
  { name: "its supervisor hangs", when: (facts) => facts.look.hung, judge: stop(() => "hung-supervisor") },
  { name: "its task was taken away", when: takenAway, judge: stop(() => "task-taken-away") },
  {
    name: "its task is complete and it does not end",
    when: (facts) => facts.look.completeTooLong,
    judge: stop(() => "task-complete")
  },
  {
    name: "its supervisor is silent",
    when: (facts) => facts.look.sighting?.hungSinceMonoMs != null,
    judge: running("supervisor-silent")
  },
  {
    name: "it lives",
    when: () => true,
    judge: running((facts) => {
      if (facts.view.lease?.phase !== "running") return "starting"
      if (facts.view.claim !== "none") return "running"
      return isClaimedByAnother(facts) ? "lease-contradicts-claim" : "claim-missing"
    })
  }
]

/** The names of the rules, in their order. */
export const attemptRuleNames: ReadonlyArray<string> = rules.map(({ name }) => name)

/** The name of the rule that judges this attempt. */
export const attemptRuleOf = (context: AttemptContext): string => {
  const facts = factsOf(context)
  return rules.find((rule) => rule.when(facts))?.name ?? ""
}

/** The verdict on one attempt, and what is to be done about it. */
export const judgeAttempt = (context: AttemptContext): Judgement => {
  const facts = factsOf(context)
  for (const rule of rules) if (rule.when(facts)) return rule.judge(facts)
  return running("running")(facts)
}
