/** The program behind the entry: a file of its own in the build, so that Node can load it already compiled. */
export { main } from "./main.ts"
export { replaceOurselves } from "./replaceOurselves.ts"
