/**
 * The token of an attempt that has none: one whose lease is of the old form. Derived from that lease, not drawn, so that
 * an ending that a crash cut short is recognised as the same one when it is begun again.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { Token } from "./identifiers.ts"
import type { LegacyLease } from "./Lease.ts"

export const legacyToken = ({ agentName, host, pid, startTime, taskId }: LegacyLease): Token => {
  const hex = bytesToHex(sha256(utf8ToBytes(JSON.stringify([taskId, agentName, host, pid, startTime]))))
  return Token.make([8, 12, 16, 20, 32].map((end, part) => hex.slice([0, 8, 12, 16, 20][part], end)).join("-"))
}
