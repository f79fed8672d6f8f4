/**
 * A situation with stand-ins for all that names people, machines and what they work on, of which the same is decided: who
 * is who, what equals what and what sorts before what stays. Numbers, times and drawn tokens stay too; whatever was said in
 * words is left out.
 */
import type { Attempts } from "../domain/Attempts.ts"
import { cgroupName } from "../domain/attemptCgroup.ts"
import type { Agent } from "../domain/DesiredState.ts"
import { AgentName, QueueName } from "../domain/identifiers.ts"
import type { Claim, Lease } from "../domain/Lease.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Request } from "../domain/Request.ts"
import type { Situation } from "../domain/Situation.ts"
import type { Task, TaskPrior } from "../domain/Task.ts"
import type { ClaimSight, LeaseSight, TaskRecord } from "../domain/TaskRecord.ts"
import { bareEndpoint } from "../reconcile/taskSights.ts"
import { Names } from "./Names.ts"
import type { NameKind, Rename } from "./Names.ts"
import { withoutSecrets } from "./withoutSecrets.ts"

/** In the place of words. That there were some may decide; which, never. */
const leftOut = "left out"
const words = (text: string): string => (text === "" ? "" : leftOut)
const wordsOrNull = (text: string | null): string | null => (text === null ? null : words(text))

const recipeTag = "recipe:"

/** Renames whatever it is given, by one table. */
class Renaming {
  readonly #rename: Rename
  constructor(rename: Rename) {
    this.#rename = rename
  }

  #orNull(kind: NameKind, name: string | null): string | null {
    return name === null ? null : this.#rename(kind, name)
  }
  #agentName(name: AgentName): AgentName {
    return AgentName.make(this.#rename("agent", name))
  }
  /** Two ways to write one server's address are one. */
  #endpoint(address: string): string {
    return `http://${this.#rename("server", bareEndpoint(address))}`
  }
  #machine<A extends { readonly host: string; readonly bootId: string }>(value: A): A {
    const host = value.host === "" ? "" : this.#rename("host", value.host)
    return { ...value, host, bootId: this.#rename("boot", value.bootId) }
  }

  #prior({ assignee, status }: TaskPrior): TaskPrior {
    return { status, assignee: this.#orNull("agent", assignee) }
  }

  #tag(tag: string): string {
    if (!tag.startsWith(recipeTag)) return this.#rename("tag", tag)
    const recipe = tag.slice(recipeTag.length).trim()
    return recipe === "" ? recipeTag : `${recipeTag}${this.#rename("recipe", recipe)}`
  }

  #task(task: Task): Task {
    return {
      ...task,
      title: `task ${task.id}`,
      queue: this.#orNull("queue", task.queue),
      assignee: this.#orNull("agent", task.assignee),
      tags: task.tags.map((tag) => this.#tag(tag))
    }
  }

  #lease(lease: Lease): Lease {
    const common = {
      agentName: this.#agentName(lease.agentName),
      recipe: this.#orNull("recipe", lease.recipe),
      queue: this.#orNull("queue", lease.queue),
      endpoint: this.#endpoint(lease.endpoint),
      prior: this.#prior(lease.prior),
      log: this.#rename("path", lease.log),
      ...(lease.cgroup === undefined ? {} : { cgroup: `/${cgroupName(lease)}` })
    }
    if (lease.phase !== "finished") return this.#machine({ ...lease, ...common })
    const { exit } = lease
    const stream = exit.stream === undefined ? {} : { stream: { ...exit.stream, detail: words(exit.stream.detail) } }
    return this.#machine({
      ...lease,
      ...common,
      exit: { ...exit, error: wordsOrNull(exit.error), ...stream }
    })
  }

  #leaseSight(sight: LeaseSight): LeaseSight {
    switch (sight._tag) {
      case "Missing":
        return sight
      case "Unreadable":
        return {
          ...sight,
          path: this.#rename("path", sight.path),
          problem: words(sight.problem),
          agentName: this.#orNull("agent", sight.agentName)
        }
      case "Legacy": {
        const { lease } = sight
        const host = this.#orNull("host", lease.host)
        return {
          ...sight,
          path: this.#rename("path", sight.path),
          lease: { ...lease, agentName: this.#agentName(lease.agentName), host }
        }
      }
      case "Read":
        return { ...sight, lease: this.#lease(sight.lease) }
    }
  }

  #claim(claim: Claim): Claim {
    return this.#machine({
      ...claim,
      agentName: this.#agentName(claim.agentName),
      log: this.#rename("path", claim.log)
    })
  }

  #claimSight(sight: ClaimSight): ClaimSight {
    return sight._tag === "Read"
      ? { ...sight, claim: this.#claim(sight.claim) }
      : { ...sight, path: this.#rename("path", sight.path), problem: words(sight.problem) }
  }

  #attempts(attempts: Attempts): Attempts {
    const { last, observed, outcomes } = attempts
    return {
      ...attempts,
      endpoint: this.#endpoint(attempts.endpoint),
      last:
        last === null
          ? null
          : {
              ...last,
              agentName: this.#agentName(last.agentName),
              queue: this.#orNull("queue", last.queue),
              prior: this.#prior(last.prior),
              bootId: this.#rename("boot", last.bootId)
            },
      outcomes: outcomes.map((outcome) => ({ ...outcome, detail: words(outcome.detail) })),
      observed: observed === null ? null : { ...observed, bootId: this.#rename("boot", observed.bootId) }
    }
  }

  #record(record: TaskRecord): TaskRecord {
    const { attempts, stop } = record
    return {
      ...record,
      lease: this.#leaseSight(record.lease),
      claims: record.claims.map((sight) => this.#claimSight(sight)),
      stop: stop === null ? null : { ...stop, bootId: this.#rename("boot", stop.bootId) },
      attempts: attempts === null ? null : this.#attempts(attempts),
      attemptsProblem: wordsOrNull(record.attemptsProblem)
    }
  }

  #request(request: Request): Request {
    const by = this.#rename("person", request.by)
    switch (request.kind) {
      case "pause": {
        const agentName = request.agentName === null ? null : this.#agentName(request.agentName)
        return { ...request, by, agentName, reason: wordsOrNull(request.reason) }
      }
      case "resume":
        return { ...request, by, agentName: request.agentName === null ? null : this.#agentName(request.agentName) }
      case "retry":
      case "stop":
      case "repair":
      case "gc":
        return { ...request, by }
      case "apply":
        // A hash over names: whoever guesses them could tell that they are the ones.
        return { ...request, by, precondition: "0".repeat(64) }
    }
  }

  #agent(agent: Agent): Agent {
    return {
      ...agent,
      name: this.#agentName(agent.name),
      queues: agent.queues.map((queue) => QueueName.make(this.#rename("queue", queue))),
      recipe: this.#orNull("recipe", agent.recipe)
    }
  }

  #observed(observed: ObservedState): ObservedState {
    const { paused, tinytask } = observed
    return {
      ...observed,
      here: this.#machine(observed.here),
      tinytask:
        tinytask._tag === "Unread"
          ? { _tag: "Unread", reason: words(tinytask.reason) }
          : {
              _tag: "Read",
              tasks: tinytask.tasks.map((task) => this.#task(task)),
              lookedUp: tinytask.lookedUp.map(({ task, taskId }) => ({
                taskId,
                task: task === null ? null : this.#task(task)
              }))
            },
      records: observed.records.map((record) => this.#record(record)),
      agents: observed.agents.map((agent) => ({
        ...agent,
        agentName: this.#agentName(agent.agentName),
        pausedBy: this.#orNull("person", agent.pausedBy)
      })),
      paused: paused === null ? null : { ...paused, by: this.#rename("person", paused.by) },
      requests: observed.requests.map((request) => this.#request(request)),
      recipes: observed.recipes.map((sight) => ({
        ...sight,
        recipe: this.#rename("recipe", sight.recipe),
        path: this.#rename("path", sight.path)
      })),
      startFaults: observed.startFaults.map((fault) => ({ ...fault, reason: words(fault.reason) })),
      startsOffReason: wordsOrNull(observed.startsOffReason)
    }
  }

  situation(situation: Situation): Situation {
    const { desired, observed } = withoutSecrets(situation)
    return {
      observed: this.#observed(observed),
      desired: {
        ...desired,
        endpoint: this.#endpoint(desired.endpoint),
        agents: desired.agents.map((agent) => this.#agent(agent)),
        queueLimits: desired.queueLimits.map(({ limit, queue }) => ({
          queue: QueueName.make(this.#rename("queue", queue)),
          limit
        }))
      }
    }
  }
}

/** Several situations of one story: what is named alike in two of them is named alike in both of what comes of them. */
export const makeAnonymiser = () => {
  const names = new Names()
  const gathering = new Renaming(names.gather)
  return {
    /** Every situation, before any of them is renamed. */
    gather: (situation: Situation): void => void gathering.situation(situation),
    seal: (): ((situation: Situation) => Situation) => {
      const renaming = new Renaming(names.standIns())
      return (situation) => renaming.situation(situation)
    }
  }
}
