/** The version that `--version` prints; the packages' own. */
export const version = "0.1.0"

/** The day on which it was made: a clock that shows an earlier one is wrong. */
export const released = "2026-11-23"
