/** The two parsers on sample text: what /proc and ps print, and what is none of it. */
import { describe, expect, it } from "vitest"
import { parseStat, variableIn } from "../src/procfs.ts"
import { parsePs } from "../src/ps.ts"

describe("a line of /proc/PID/stat", () => {
  const rest = "4 3 2 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 186359 11 22 18446744073709551615"
  it.each([
    { name: "a plain name", comm: "sleep" },
    { name: "spaces", comm: "a b c" },
    { name: "parentheses", comm: "a) R 9 9 (b" },
    { name: "a newline", comm: "a\nb" },
    { name: "nothing", comm: "" }
  ])("is read with $name as its program's name", ({ comm }) => {
    expect(parseStat(`17 (${comm}) S ${rest}\n`)).toEqual({
      state: "S",
      parent: 4,
      group: 3,
      session: 2,
      isKernelThread: false,
      pidStart: 186359
    })
  })

  it("tells a thread of the kernel from a process", () => {
    const kernel = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 3 0 0 20 0 1 0 5 0 0"
    expect(parseStat(kernel)).toMatchObject({ isKernelThread: true, pidStart: 5 })
  })

  it.each(["", "17", "17 (sleep)", "17 (sleep) S", "17 (sleep) S 1 2", "17 (sleep) S a b c"])("is none: %j", (line) => {
    expect(parseStat(line)).toBeNull()
  })
})

describe("an environment", () => {
  const environ = Buffer.from("A=TOKEN=1\0XTOKEN=2\0TOKEN=3\0TOKEN=4\0")
  it.each([
    { name: "the first that is meant", variable: "TOKEN", value: "3" },
    { name: "the first of all", variable: "A", value: "TOKEN=1" },
    { name: "none", variable: "OKEN", value: null }
  ])("has of a variable $name", ({ variable, value }) => {
    expect(variableIn(environ, variable)).toBe(value)
  })

  it("may end without a NUL, or be empty", () => {
    expect(variableIn(Buffer.from("TOKEN=3"), "TOKEN")).toBe("3")
    expect(variableIn(Buffer.alloc(0), "TOKEN")).toBeNull()
  })
})

describe("the output of ps on macOS", () => {
  const token = "11111111-1111-4111-8111-111111111111"
  const output = [
    "    1     0     1      0 Mon Nov 23 00:35:12 2026 Ss  ",
    "  812     1   812      0 Mon Nov  2 09:05:00 2026 S+   ",
    `  813   812   812 1f4c00 Sun Nov 22 23:59:59 2026 Z    /bin/sh -c x A=1 TINYSCHEDULER_LEASE=${token} B=2`,
    `  814   812   814      0 Sun Nov 22 23:59:59 2026 R    node NOT_TINYSCHEDULER_LEASE=${token}`,
    "garbage",
    ""
  ].join("\n")

  it("is one row a process, with its start as seconds of UTC", () => {
    expect(parsePs(output)).toEqual([
      {
        pid: 1,
        parent: 0,
        group: 1,
        session: 0,
        pidStart: Date.UTC(2026, 10, 23, 0, 35, 12) / 1000,
        state: "S",
        cgroup: null,
        token: null
      },
      {
        pid: 812,
        parent: 1,
        group: 812,
        session: 0,
        pidStart: Date.UTC(2026, 10, 2, 9, 5, 0) / 1000,
        state: "S",
        cgroup: null,
        token: null
      },
      {
        pid: 813,
        parent: 812,
        group: 812,
        session: 0,
        pidStart: Date.UTC(2026, 10, 22, 23, 59, 59) / 1000,
        state: "Z",
        cgroup: null,
        token
      },
      {
        pid: 814,
        parent: 812,
        group: 814,
        session: 0,
        pidStart: Date.UTC(2026, 10, 22, 23, 59, 59) / 1000,
        state: "R",
        cgroup: null,
        token: null
      }
    ])
  })
})
