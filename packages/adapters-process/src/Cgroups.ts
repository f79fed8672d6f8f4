/** The layer of the attempts' cgroups, by Linux's cgroup v2. It touches nothing that does not bear an attempt's name. */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { attemptOfCgroup, cgroupName, parseCgroupName } from "@tinyscheduler/core/domain/attemptCgroup"
import { type CgroupPlace, Cgroups } from "@tinyscheduler/core/ports/Cgroups"
import { cgroup2Mounts, ownCgroup, writeControl } from "./cgroup2.ts"

/** Where cgroups of attempts can be made: below our own one, where it is delegated to us. */
export const delegation = (): CgroupPlace => {
  const own = ownCgroup()
  if (own === null) return { _tag: "NoPlace", why: "there is no cgroup v2 here" }
  const notOurs: CgroupPlace = { _tag: "NoPlace", why: `the cgroup ${own} is not delegated to this user` }
  try {
    fs.accessSync(own, fs.constants.W_OK | fs.constants.X_OK)
    fs.accessSync(`${own}/cgroup.procs`, fs.constants.W_OK)
  } catch {
    return notOurs
  }
  return typeOf(own) === "domain" ? { _tag: "Place", directory: own } : notOurs
}

/** Below any other type, processes can't be placed. The root has no type, and is a domain. */
const typeOf = (directory: string): string => {
  try {
    return fs.readFileSync(`${directory}/cgroup.type`, "utf8").trim()
  } catch {
    return "domain"
  }
}

const isAttempts = (directory: string): boolean =>
  attemptOfCgroup(directory) !== null && cgroup2Mounts().some((mount) => directory.startsWith(`${mount.directory}/`))

/** An agent's own tree of cgroups may be large: more of it is not looked at at once. */
const treeMax = 1000

/**
 * A cgroup and those below it, each after the one that it is in; without those of other attempts, which a scheduler that
 * the agent started may have made there.
 */
const treeOf = (directory: string): ReadonlyArray<string> => {
  const open = [directory]
  for (let index = 0; index < open.length && open.length < treeMax; index += 1) {
    const path = open[index] ?? ""
    for (const name of directoriesIn(path)) if (parseCgroupName(name) === null) open.push(`${path}/${name}`)
  }
  return open
}

/** None where the directory itself is gone meanwhile. */
const directoriesIn = (path: string): ReadonlyArray<string> => {
  try {
    const entries = fs.readdirSync(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}

/** The kernel refuses what still has processes or children. */
const removeTree = (directory: string): void => {
  for (const path of treeOf(directory).toReversed()) fs.rmdirSync(path)
}

/** One that went meanwhile has none; those of a threaded one, which can't be asked, are told by the one it is in. */
const procsOf = (directory: string): string => {
  try {
    return fs.readFileSync(`${directory}/cgroup.procs`, "utf8")
  } catch {
    return ""
  }
}

/** A process of a pid namespace that we can't see is shown as 0. */
const membersOf = (directory: string): ReadonlyArray<number> =>
  treeOf(directory)
    .flatMap((path) => procsOf(path).split("\n"))
    .filter((line) => line !== "")
    .map(Number)

/** What can't be done now is done by a later pass, or shown by what still lives. */
const attempt = <A>(act: () => A, otherwise: A): Effect.Effect<A> =>
  Effect.try(act).pipe(Effect.orElseSucceed(() => otherwise))

/** Cgroups of this machine. */
export const layer = Layer.succeed(Cgroups, {
  placeFor: (name) =>
    Effect.sync(() => {
      const place = delegation()
      return place._tag === "Place" ? { ...place, directory: `${place.directory}/${cgroupName(name)}` } : place
    }),
  list: attempt(() => {
    const own = ownCgroup()
    if (own === null) return []
    return fs
      .readdirSync(own)
      .filter((name) => parseCgroupName(name) !== null)
      .map((name) => `${own}/${name}`)
  }, []),
  members: (directory) => attempt(() => (isAttempts(directory) ? membersOf(directory) : []), []),
  kill: (directory) =>
    attempt(() => {
      if (!isAttempts(directory)) return false
      writeControl(`${directory}/cgroup.kill`, "1")
      return true
    }, false),
  remove: (directory) =>
    attempt(() => {
      if (isAttempts(directory)) removeTree(directory)
    }, undefined)
})
