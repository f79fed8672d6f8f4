/**
 * Turns V8's compilers off for this process. A supervisor beats a few times a minute for hours: what they make of that
 * is never earned back, and stands once beside every agent (2.5 MiB each; a flood of output takes as long without).
 * Set at run time, not on the command line, where the same flags cost 13 ms a start: Node's built-in code cache is
 * refused under other flags. V8 goes on where it does not know one of them.
 */
import { setFlagsFromString } from "node:v8"

export const stayInterpreted = (): void => {
  for (const flag of ["--no-opt", "--no-maglev", "--no-sparkplug"]) setFlagsFromString(flag)
}
