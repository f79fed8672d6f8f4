// Makes passes on demand without starting Node anew for each: the built program's own main, in a process that stays.
const { main } = require(process.argv[2])

let said = ""
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (text, ...rest) => {
    said += text
    rest.find((argument) => typeof argument === "function")?.()
    return true
  }
}
process.on("message", async (argv) => {
  said = ""
  const code = await main(argv)
  process.send({ code, said })
})
process.on("disconnect", () => process.exit(0))
