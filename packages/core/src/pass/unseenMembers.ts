/**
 * Who is in an attempt's cgroup and in no scan: a process that is hidden from us, or one that is never the same for as
 * long as a scan takes. A scan reads one process after the other; the kernel tells a cgroup's at one moment.
 */
import * as Effect from "effect/Effect"
import type { ProcessRow } from "../domain/ProcessIdentity.ts"
import { Cgroups } from "../ports/Cgroups.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"

/** By token; asked after the scans whose rows these are. */
export const unseenMembers = Effect.fnUntraced(function* (
  tasks: ReadonlyArray<StoredTask>,
  rows: ReadonlyArray<ProcessRow>
) {
  const cgroups = yield* Cgroups
  const unseen = new Map<string, ReadonlyArray<number>>()
  const seen = new Set(rows.map(({ pid }) => pid))
  for (const stored of tasks) {
    const lease = stored.lease._tag === "Read" ? stored.lease.lease : null
    if (lease?.cgroup === undefined) continue
    const members = yield* cgroups.members(lease.cgroup)
    unseen.set(
      lease.token,
      members.filter((pid) => !seen.has(pid))
    )
  }
  return unseen
})
