/** The version that `--version` prints; the packages' own. */
export const version = "0.1.0"
