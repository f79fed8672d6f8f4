/** What simulations and tests of plans import: `@tinyscheduler/core/simulation`. */
export { layerSimulation, noFaults } from "./memoryPorts.ts"
export type { FaultHook } from "./memoryPorts.ts"
export { completesAfter, exitsWith, World } from "./World.ts"
export type { AgentScript, SimulatedProcess, SimulatedRun, SimulatedTask } from "./World.ts"
