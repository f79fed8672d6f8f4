/** What is installed is what was looked at: nothing newer, nothing else, and no code of it runs meanwhile. */
import { readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { parse } from "yaml"
import { inRoot, read } from "../../cli/test/documents/markdown.ts"

const Versions = Schema.Record(Schema.String, Schema.String)
const Manifest = Schema.Struct({
  dependencies: Schema.optionalKey(Versions),
  devDependencies: Schema.optionalKey(Versions)
})
const Workspace = Schema.Struct({
  catalog: Versions,
  allowBuilds: Schema.Record(Schema.String, Schema.Boolean)
})
const Lock = Schema.Struct({
  packages: Schema.Record(Schema.String, Schema.Struct({ resolution: Schema.Struct({ integrity: Schema.String }) }))
})

const decodeManifest = Schema.decodeUnknownSync(Schema.fromJsonString(Manifest))

describe("dependencies", () => {
  const workspace = Schema.decodeUnknownSync(Workspace)(parse(read("pnpm-workspace.yaml")))

  it("have exact versions and hashes, and one of them alone may run a script", () => {
    const manifests = [
      "package.json",
      ...readdirSync(inRoot("packages")).map((name) => `packages/${name}/package.json`)
    ]
    const versions = manifests.flatMap((path) => {
      const { dependencies = {}, devDependencies = {} } = decodeManifest(read(path))
      return Object.entries({ ...dependencies, ...devDependencies })
    })
    const exact = /^(?:\d+\.\d+\.\d+|catalog:|workspace:\*)$/
    assert.deepStrictEqual(
      [...versions, ...Object.entries(workspace.catalog)].filter(([, version]) => !exact.test(version)),
      []
    )
    const { packages } = Schema.decodeUnknownSync(Lock)(parse(read("pnpm-lock.yaml")))
    assert.isAbove(Object.keys(packages).length, 50)
    for (const [name, { resolution }] of Object.entries(packages)) assert.match(resolution.integrity, /^sha512-/, name)
    assert.deepStrictEqual(
      Object.entries(workspace.allowBuilds).filter(([, allowed]) => allowed),
      [["node", true]]
    )
  })
})
