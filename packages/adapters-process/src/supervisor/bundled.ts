/** The supervisor as the build bundles it: a program without top-level await, for a file that is no ES module. */
import { runSupervisor } from "./main.ts"

void runSupervisor()
