/**
 * Node's flags for a supervisor. It beats a few times a minute for hours: code that the compilers make of that is never
 * earned back, and stands once beside every agent (measured: 2 to 3 MiB each; a flood of output costs the same).
 * --jitless would do as much, but then Node can't run TypeScript sources: their types are stripped in WebAssembly.
 */
export const supervisorFlags: ReadonlyArray<string> = ["--no-opt", "--no-maglev", "--no-sparkplug"]
