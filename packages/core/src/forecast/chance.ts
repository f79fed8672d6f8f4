/** Chance that can be repeated: numbers that follow from a seed, and from what they are drawn for. */

/** One step of the mixing of MurmurHash3's end: every bit of the input moves every bit of the result. */
const mix = (value: number): number => {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/**
 * A number from 0 to below 1 for each list of whole numbers: no state, so that it does not matter who asks first, and
 * two forecasts with one seed draw the same luck for the same task.
 */
export const chanceOf = (...keys: ReadonlyArray<number>): number => {
  let bits = 0x9e3779b9
  for (const key of keys) {
    bits = mix(bits ^ mix(key % 0x1_0000_0000))
    bits = mix(bits + mix(Math.floor(key / 0x1_0000_0000) + 0x7f4a7c15))
  }
  return bits / 0x1_0000_0000
}
