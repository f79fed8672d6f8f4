import { defineConfig } from "vitest/config"

/** One configuration for every kind of test; the kinds are projects so that a script can run one of them alone. */
const project = (name: string, include: ReadonlyArray<string>, testTimeout: number, extra: object = {}) => ({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: { name, include: [...include], testTimeout, hookTimeout: testTimeout, ...extra }
})

export default defineConfig({
  test: {
    projects: [
      project("unit", ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts"], 60_000),
      project("property", ["packages/*/test/**/*.property.ts"], 600_000),
      // Each file has its own ground, Tinytask and ports; most of their time is waiting.
      project("e2e", ["e2e/**/*.test.ts"], 600_000, { maxWorkers: 2 }),
      project("crash", ["e2e/crash/*.points.ts"], 3_600_000)
    ]
  }
})
