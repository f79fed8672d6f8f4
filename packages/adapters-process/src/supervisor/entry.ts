/** The supervisor as a program of its own. */
import { runSupervisor } from "./main.ts"

await runSupervisor()
