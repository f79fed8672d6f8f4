import { procfs } from "./procfs.ts"
import { ps } from "./ps.ts"

/** The machine that this program runs on. */
export const thisMachine = process.platform === "darwin" ? ps : procfs
