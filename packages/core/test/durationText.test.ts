/** Lengths of time in people's words, there and back. */
import * as Result from "effect/Result"
import { expect, it } from "vitest"
import { describeDuration, parseDuration } from "../src/domain/durationText.ts"

const minute = 60_000

it.each([
  ["90s", 90_000, 0],
  ["10m", 10 * minute, 0],
  ["1h30m", 90 * minute, 0],
  ["1d2h3m4s", 93_784_000, 0],
  ["10m±5m", 10 * minute, 5 * minute],
  ["10m+-5m", 10 * minute, 5 * minute],
  ["1h ± 90s", 60 * minute, 90_000],
  ["10m±0s", 10 * minute, 0]
])("%s is a length of time", (text, ms, spreadMs) => {
  expect(parseDuration(text)).toEqual(Result.succeed({ ms, spreadMs }))
})

it.each([
  "",
  "10",
  "m",
  "-5m",
  "1.5h",
  "10m5h",
  "10 m",
  "0s",
  "0m±0m",
  "10m±",
  "±5m",
  "5m±10m",
  "10m±5m±1m",
  "400d",
  "10m-5m",
  "1e3s"
])("%j is none", (text) => {
  expect(Result.isFailure(parseDuration(text))).toBe(true)
})

it.each([
  [0, "0s"],
  [-5, "0s"],
  [499, "0s"],
  [45_000, "45s"],
  [10 * minute, "10m"],
  [90 * minute, "1h 30m"],
  [(49 * 60 + 1) * minute, "2d 1h"],
  [(48 * 60 + 1) * minute, "2d"]
])("%d ms are %s", (ms, text) => {
  expect(describeDuration(ms)).toBe(text)
})
