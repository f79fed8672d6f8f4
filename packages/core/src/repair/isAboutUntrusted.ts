/** A file that others may write is not read, and may be as good as it was: it is not replaced behind its owner's back. */
import type { Inventory } from "../ports/StateInventory.ts"

/** Whether what is wrong with a file, told with its path first, is that it can't be trusted. */
export const isAboutUntrusted = (problem: string, { odd }: Pick<Inventory, "odd">): boolean =>
  odd.some((file) => file._tag === "Untrusted" && problem.startsWith(`${file.path} `))
