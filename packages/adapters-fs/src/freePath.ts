/** Where something is put that is set aside. */
import { lstatSync } from "node:fs"
import { join } from "node:path"

const asideMax = 10_000

/** The first of these names that nothing bears yet; only the lock's holder makes such names. */
export const freePath = (directory: string, stem: string, end: string): string => {
  for (let number = 1; number <= asideMax; number += 1) {
    const path = join(directory, `${stem}.${number}${end}`)
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path
  }
  throw new Error(`${directory} holds ${asideMax} of ${stem} already`)
}
