/**
 * Where a program would be found, as execvp(3) searches: a name with a slash is a path from the working directory, an
 * empty entry of PATH is that directory. Only a regular file that may be executed is one.
 */
import * as fs from "node:fs"
import * as path from "node:path"

export type BinarySight =
  | { readonly _tag: "Found"; readonly path: string }
  | { readonly _tag: "Absent"; readonly problem: string }

/** Where there is nothing, or a folder on the way is closed to us: for a launch that is the same. */
const isFile = (file: string): boolean => {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    return false
  }
}

const isExecutable = (file: string): boolean => {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return isFile(file)
  } catch {
    return false
  }
}

const absent = (problem: string): BinarySight => ({ _tag: "Absent", problem })

export const findBinary = (binary: string, cwd: string, searchPath: string): BinarySight => {
  if (binary.includes("/")) {
    const file = path.resolve(cwd, binary)
    if (isExecutable(file)) return { _tag: "Found", path: file }
    return absent(isFile(file) ? `${file} may not be executed` : `${file} does not exist or is closed to us`)
  }
  const places = searchPath.split(":").map((directory) => path.resolve(cwd, directory, binary))
  const found = places.find(isExecutable)
  return found === undefined
    ? absent(`${binary} was not found on PATH (${searchPath === "" ? "which is empty" : searchPath})`)
    : { _tag: "Found", path: found }
}
