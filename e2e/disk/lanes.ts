/** Many cases of one kind, some at a time, and what came of them in one line. */

/** Runs each item, so many at once; answers in the order of the items. */
export const inLanes = async <A, B>(
  items: ReadonlyArray<A>,
  lanes: number,
  run: (item: A) => Promise<B>
): Promise<ReadonlyArray<B>> => {
  const results = new Map<number, B>()
  const queue = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results.set(index, await run(item))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return [...results].sort(([left], [right]) => left - right).map(([, result]) => result)
}

export interface FaultResult {
  readonly fault: string
  /** False when the run never came to the call that was to fail. */
  readonly met: boolean
  readonly wrong: ReadonlyArray<string>
}

export const reportOf = (possible: number, results: ReadonlyArray<FaultResult>) => {
  const met = results.filter((result) => result.met).length
  const wrong = results.flatMap(({ fault, wrong: problems }) => problems.map((problem) => `${fault}: ${problem}`))
  const missed = results.length === met ? "" : `, ${results.length - met} were not come by`
  return { met, wrong, text: `${possible} faults are possible, ${met} were met${missed}; ${wrong.length} violations` }
}
