/**
 * Keeps secrets out of what leaves the machine's own files: the end of an output goes into a comment on the task, which
 * everybody can read who reaches Tinytask. Known are the values of the agent's variables whose names say so; the log, for
 * its owner only, is left as the agent wrote it.
 */

const secretNames = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i

/** What is shorter occurs in any text: 1, true, none. */
const secretMinLength = 8

/** Replaces each secret of this environment by its variable's name. */
export const redactorOf = (environment: Readonly<Record<string, string | undefined>>): ((text: string) => string) => {
  const secrets = Object.entries(environment)
    .flatMap(([name, value = ""]) => (secretNames.test(name) && isSecret(value) ? [{ name, value }] : []))
    // One may be the beginning of another.
    .toSorted((one, other) => other.value.length - one.value.length)
  return (text) => secrets.reduce((left, { name, value }) => left.replaceAll(value, `[${name}]`), text)
}

/** Paths, such as those of key files, are no secrets. */
const isSecret = (value: string): boolean => value.length >= secretMinLength && !value.startsWith("/")
