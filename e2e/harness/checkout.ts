/** A checkout as operators have it: the launcher, the built program, and a Node unless that is left out. */
import { chmodSync, copyFileSync, cpSync, linkSync, mkdirSync, realpathSync } from "node:fs"
import { dirname } from "node:path"
import type { Ground } from "./Ground.ts"
import { program, repository } from "./program.ts"

/** The same file under another name; a copy where the place is on another file system. */
const place = (from: string, to: string): void => {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}

export const makeCheckout = (ground: Ground, name: string, { node }: { readonly node: boolean }): string => {
  const root = ground.path(name)
  cpSync(dirname(program), `${root}/packages/cli/dist`, { recursive: true })
  copyFileSync(`${repository}tinyscheduler`, `${root}/tinyscheduler`)
  chmodSync(`${root}/tinyscheduler`, 0o755)
  if (node) {
    mkdirSync(`${root}/node_modules/node/bin`, { recursive: true })
    place(realpathSync(`${repository}node_modules/node/bin/node`), `${root}/node_modules/node/bin/node`)
  }
  return root
}
