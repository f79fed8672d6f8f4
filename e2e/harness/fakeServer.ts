/** Servers that are no Tinytask, or a Tinytask behind something, each on a free loopback port for one test. */
import { createServer, type IncomingMessage, request, type RequestListener, type ServerResponse } from "node:http"
import { onTestFinished } from "vitest"

/** Starts a server; answers its address. */
export const serveFake = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
}

/** Hands a request on to another server, and its answer back. */
export const forward = (target: string, incoming: IncomingMessage, outgoing: ServerResponse): void => {
  const { headers, method, url } = incoming
  const onward = request(`${target}${url ?? ""}`, { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  onward.on("error", () => outgoing.destroy())
  incoming.pipe(onward)
}
