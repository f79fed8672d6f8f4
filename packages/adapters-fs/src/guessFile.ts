/**
 * What can still be made out in a file that should be a lease or a claim and can't be read as one. A guess is good for
 * caution alone: what it names may live, and then the file is left where it is.
 */
import { Epoch, epochMax, Token } from "@tinyscheduler/core/domain/identifiers"
import { leaseMaxBytes } from "@tinyscheduler/core/domain/Lease"
import type { Guess } from "@tinyscheduler/core/ports/StateInventory"
import * as Schema from "effect/Schema"
import { readSafely } from "./safeFile.ts"

const isToken = Schema.is(Token)
const isEpoch = Schema.is(Epoch)
const pidMax = 2 ** 31 - 1

const numbersIn = (text: string, pattern: RegExp): ReadonlyArray<number> =>
  [...text.matchAll(pattern)].map(([, digits]) => Number(digits))

const textIn = (text: string, pattern: RegExp): string | null => pattern.exec(text)?.[1] ?? null

/** The starts belong to the pids in their order, if no one of either is lost. */
const processesIn = (text: string): Guess["processes"] => {
  const pids = numbersIn(text, /"pid"\s*:\s*"?([0-9]{1,10})/g)
  const starts = numbersIn(text, /"pid_start"\s*:\s*([0-9]{1,16})/g)
  return pids.flatMap((pid, index) =>
    pid < 1 || pid > pidMax ? [] : [{ pid, pidStart: starts.length === pids.length ? (starts[index] ?? null) : null }]
  )
}

/** The guess from a text. */
export const guessIn = (text: string): Guess => {
  const token = textIn(text, /"token"\s*:\s*"([^"]{36})"/)
  const epoch = numbersIn(text, /"epoch"\s*:\s*([0-9]{1,16})/g)[0] ?? null
  return {
    token: isToken(token) ? token : null,
    host: textIn(text, /"host"\s*:\s*"([^"\\]{1,200})"/),
    processes: processesIn(text),
    epoch: isEpoch(epoch) && epoch <= epochMax ? epoch : null
  }
}

/** The guess from a file, as far as it is ours to read. */
export const guessFile = (path: string): Guess => {
  const file = readSafely(path, { maxBytes: leaseMaxBytes, trust: "state" })
  return guessIn(file._tag === "Read" ? file.text : file._tag === "Refused" ? (file.head ?? "") : "")
}
