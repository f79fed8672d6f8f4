/** Prints the help of every command, by its words, as one JSON object. One process: one for each would take half a minute. */
import { main } from "../../src/main.ts"
import { subcommandsIn } from "./helpText.ts"

const print = process.stdout.write.bind(process.stdout)
let said = ""
process.stdout.write = (chunk: string | Uint8Array): boolean => {
  said += String(chunk)
  return true
}

const helps: Record<string, string> = {}
const collect = async (command: ReadonlyArray<string>): Promise<void> => {
  said = ""
  await main([...command, "--help"])
  const text = said
  helps[command.join(" ")] = text
  for (const name of subcommandsIn(text)) await collect([...command, name])
}
await collect([])
print(JSON.stringify(helps))
