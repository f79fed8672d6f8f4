import { globSync } from "node:fs"
import { basename, resolve } from "node:path"
import { defineConfig } from "vitest/config"
import { instrumented } from "./instrumentation.ts"

const root = resolve(import.meta.dirname, "../..")
const found = (pattern: string): ReadonlyArray<string> =>
  globSync(pattern, { cwd: root })
    .sort()
    .map((file) => resolve(root, file))
const only = (process.env["FILES"] ?? "").split(",")
const files = found("packages/core/src/reconcile/**/*.ts").filter((file) =>
  only.some((part) => basename(file).includes(part))
)
// One replaces modules by vitest's own means, which know nothing of collected tests; one takes long: what it alone holds survives.
const tests = found("packages/core/test/{specification/*.test,pass.*.test,*.property}.ts").filter(
  (file) => !["pass.audit.test.ts", "pass.filesAtOdds.test.ts"].includes(basename(file))
)
const { mutants, plugin } = await instrumented(files)

export default defineConfig({
  plugins: [plugin],
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    root,
    include: ["scripts/mutation/mutants.test.ts"],
    testTimeout: 0,
    // What was kept of another run has the switches of other mutants.
    fsModuleCache: false,
    provide: { mutants: [...mutants], testFiles: [...tests] }
  }
})
