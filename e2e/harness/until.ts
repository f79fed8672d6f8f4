/** Waiting for conditions. The guard is generous and only turns a hang into a sentence; nothing is asserted by time. */

const lookEveryMs = 15
const guardMs = 150_000

/** Waits until the condition answers something true, and answers that. */
export const until = async <A>(
  what: string,
  condition: () => A | Promise<A>
): Promise<Exclude<A, false | null | undefined>> => {
  const begun = performance.now()
  for (;;) {
    const found = await condition()
    if (isThere(found)) return found
    if (performance.now() - begun > guardMs) throw new Error(`it never came to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

const isThere = <A>(found: A): found is Exclude<A, false | null | undefined> =>
  found !== false && found !== null && found !== undefined
