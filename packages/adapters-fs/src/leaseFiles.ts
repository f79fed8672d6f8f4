/**
 * Leases, claims and stop records as they are read from their files. Reading only: it takes no lock, creates nothing,
 * and an odd file is told with its path and what is wrong, never dropped.
 */
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { AgentName, type Epoch, type TaskId } from "@tinyscheduler/core/domain/identifiers"
import { ClaimFile, LeaseFile, leaseMaxBytes, type Lease, type LegacyLease } from "@tinyscheduler/core/domain/Lease"
import { StopFile, type StopRecord } from "@tinyscheduler/core/domain/Attempts"
import type { StoredClaim, StoredLease } from "@tinyscheduler/core/ports/LeaseStore"
import { claimFileName, stopFileName, taskFileName } from "@tinyscheduler/core/protocol/layout"
import { fieldOf, isRecord, makeDecoder, readJson, type Decoded } from "./jsonFile.ts"
import { decodeLegacyLease, isLegacyForm } from "./legacyLease.ts"
import { quoted } from "./oneLine.ts"
import type { FileStamp, ReadRules } from "./safeFile.ts"

const rules: ReadRules = { maxBytes: leaseMaxBytes, trust: "state" }

/** What was read now, with the stamp by which a later look can tell that it is unchanged; null when it can't. */
export interface Fresh<A> {
  readonly value: A
  readonly stamp: FileStamp | null
}

const [startingFile, runningFile, finishedFile] = LeaseFile.members

/** One decoder per phase: quicker than the union's, and what it says is about the one form that was meant. */
const decoders: ReadonlyMap<unknown, (value: unknown) => Decoded<Lease>> = new Map<
  unknown,
  (value: unknown) => Decoded<Lease>
>([
  ["starting", makeDecoder(startingFile)],
  ["running", makeDecoder(runningFile)],
  ["finished", makeDecoder(finishedFile)]
])
const decodeClaim = makeDecoder(ClaimFile)
const decodeStop = makeDecoder(StopFile)
const isAgentName = Schema.is(AgentName)

/** By its version and phase: the schema's own words on a union help nobody. */
const decodeLease = (record: Readonly<Record<string, unknown>>): Decoded<Lease> => {
  const version = fieldOf(record, "version")
  if (version === undefined) return { ok: false, problem: "version is missing" }
  if (version !== 1) return { ok: false, problem: `version ${show(version)} is not known` }
  const phase = fieldOf(record, "phase")
  if (phase === undefined) return { ok: false, problem: "phase is missing" }
  const decode = decoders.get(phase)
  return decode === undefined ? { ok: false, problem: `phase ${show(phase)} is not known` } : decode(record)
}

const show = (value: unknown): string => {
  if (typeof value === "string") return quoted(value)
  return typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : "of another kind"
}

const interpret = (path: string, taskId: TaskId, value: unknown): Decoded<StoredLease> => {
  if (!isRecord(value)) return { ok: false, problem: "is not a JSON object" }
  const lease: Decoded<Lease | LegacyLease> = isLegacyForm(value) ? decodeLegacyLease(value) : decodeLease(value)
  if (!lease.ok) return lease
  if (lease.value.taskId !== taskId)
    return { ok: false, problem: `is named after task ${taskId} but is task ${lease.value.taskId}'s` }
  return {
    ok: true,
    value: "phase" in lease.value ? { _tag: "Read", lease: lease.value } : { _tag: "Legacy", path, lease: lease.value }
  }
}

/** The agent's name from whatever a broken lease still says: its slot stays taken. */
const guessAgentName = (source: unknown): string | null => {
  const name = isRecord(source)
    ? (fieldOf(source, "agent_name") ?? fieldOf(source, "agent"))
    : typeof source === "string"
      ? /"agent(?:_name)?"\s*:\s*"([^"\\]{1,64})"/.exec(source)?.[1]
      : null
  return isAgentName(name) ? name : null
}

/** Reads the lease of a task from a running directory. */
export const readLeaseFile = (running: string, taskId: TaskId): Fresh<StoredLease> => {
  const path = join(running, taskFileName(taskId))
  const file = readJson(path, rules)
  const odd = (problem: string, source: unknown): StoredLease => ({
    _tag: "Unreadable",
    path,
    problem,
    agentName: guessAgentName(source)
  })
  switch (file._tag) {
    case "Missing":
      return { value: { _tag: "Missing" }, stamp: null }
    case "Problem":
      return { value: odd(file.problem, file.head), stamp: file.stamp }
    case "Json": {
      const lease = interpret(path, taskId, file.value)
      return { value: lease.ok ? lease.value : odd(lease.problem, file.value), stamp: file.stamp }
    }
  }
}

/** Decodes a small file of one epoch of one task, and compares both with its name; null when there is none. */
const readEpochFile = <A extends { readonly taskId: TaskId; readonly epoch: Epoch }>(
  path: string,
  name: { readonly taskId: TaskId; readonly epoch: Epoch },
  decode: (value: unknown) => Decoded<A>
): Fresh<Decoded<A> | null> => {
  const file = readJson(path, rules)
  if (file._tag === "Missing") return { value: null, stamp: null }
  if (file._tag === "Problem") return { value: { ok: false, problem: file.problem }, stamp: file.stamp }
  const decoded = decode(file.value)
  const agrees = !decoded.ok || (decoded.value.taskId === name.taskId && decoded.value.epoch === name.epoch)
  const value: Decoded<A> = agrees ? decoded : { ok: false, problem: "contradicts its file name" }
  return { value, stamp: file.stamp }
}

/** Reads a claim or tombstone; null when there is none. */
export const readClaimFile = (claims: string, taskId: TaskId, epoch: Epoch): Fresh<StoredClaim | null> => {
  const path = join(claims, claimFileName(taskId, epoch))
  const { stamp, value } = readEpochFile(path, { taskId, epoch }, decodeClaim)
  if (value === null) return { value, stamp }
  return {
    value: value.ok
      ? { _tag: "Read", epoch, claim: value.value }
      : { _tag: "Unreadable", epoch, path, problem: value.problem },
    stamp
  }
}

/** Reads a stop record; null when there is none or it can't be read: the ladder then begins anew. */
export const readStopFile = (stops: string, taskId: TaskId, epoch: Epoch): Fresh<StopRecord | null> => {
  const { stamp, value } = readEpochFile(join(stops, stopFileName(taskId, epoch)), { taskId, epoch }, decodeStop)
  return { value: value?.ok === true ? value.value : null, stamp }
}
