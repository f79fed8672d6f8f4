/**
 * What an attacker, an accident or another program puts where we read: texts, JSON values and whole texts of files. One
 * list for the tests of every entry point; each says what all of them promise, by `findUnclean`.
 */

const esc = "\u001b"
const bell = "\u0007"

/** By what they try. */
export const hostileTexts: Readonly<Record<string, string>> = {
  empty: "",
  blank: " ",
  "the parent directory": "..",
  "a path upwards": "../../../../etc/passwd",
  "a path upwards of Windows": "..\\..\\windows\\system32",
  "an encoded path upwards": "%2e%2e%2fetc%2fpasswd",
  "an absolute path": "/etc/passwd",
  "a path with two slashes": "//etc//passwd",
  "a device": "/dev/stdin",
  "a path of a process": "/proc/self/environ",
  "a name with a null character": "vaela\u0000.yaml",
  "a line break at the end": "vaela\n",
  "a forged log line": "x\n20261123 00:00:00 ERROR forged",
  "a carriage return": "harmless\roverwritten",
  "a leading dash": "-rf",
  "a flag": "--mcp-endpoint=http://evil.example",
  "the end of flags": "--",
  "a template": "{{promptFile}} {{taskId}} {{constructor}}",
  "a shell's command": "$(touch /tmp/owned) `touch /tmp/owned`; touch /tmp/owned | sh & \n touch /tmp/owned",
  "a shell's quotation marks": `'"; touch /tmp/owned; "'`,
  "a shell's variable": "${IFS}$HOME$PATH",
  "a glob": "*?[a-z]{a,b}~",
  "a format": "%s%s%n%d%x%08x{0}{}",
  "a red text": `${esc}[31mred${esc}[0m`,
  "a cleared screen": `${esc}[2J${esc}[H`,
  "a title of the window": `${esc}]0;owned${bell}`,
  "a hyperlink": `${esc}]8;;http://evil.example${esc}\\click${esc}]8;;${esc}\\`,
  "a write to the clipboard": `${esc}]52;c;cm0gLXJmIC8K${bell}`,
  "a question to the terminal": `${esc}[6n${esc}P$qm${esc}\\`,
  "a control sequence in one character": "\u009b31m\u009d0;owned\u009c",
  "all control characters": String.fromCharCode(
    ...Array.from({ length: 32 }, (_, code) => code),
    ...Array.from({ length: 33 }, (_, code) => 127 + code)
  ),
  "separators of lines": "one\u0085two\u2028three\u2029four",
  "an order of reading": "\u202egnp.exe\u202c \u2067x\u2069 \u200f\u061c",
  "nothing to be seen": "va\u200bela\u2060\ufeff",
  "a homograph": "vаela", // the second letter is Cyrillic
  "a full-width path": "．．／etc",
  "a ligature": "ﬁle",
  "a letter with hundred accents": `a${"\u0301".repeat(100)}`,
  "half of a character": "\ud800",
  "the other half": "\udc00x",
  "a mark of order": "\ufeff[]",
  "an emoji of a family": "👨‍👩‍👧‍👦",
  "very long": "a".repeat(100_000),
  "very long without end": `${"a".repeat(70_000)}\n`,
  "very many lines": "\n".repeat(10_000),
  __proto__2: "__proto__",
  constructor2: "constructor",
  "a prototype in JSON": '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
  "a deep list": "[".repeat(100_000),
  "a deep object": '{"a":'.repeat(50_000),
  "a number beyond all": "1e400",
  "a number beyond whole numbers": "9007199254740993",
  "a negative number": "-1",
  "no number": "NaN",
  "without end": "Infinity",
  "a number of another base": "0x10",
  "digits of another script": "１２",
  "a fraction": "1.5",
  "a moment that never was": "2026-02-30T25:61:61Z",
  "a moment before all": "-271821-04-20T00:00:00Z",
  "an XML bomb": '<!DOCTYPE x [<!ENTITY a "&a;&a;">]><x>&a;</x>',
  "a query": "'; DROP TABLE tasks; --",
  "a page": "<script>alert(1)</script>",
  "an address with a password": "http://me:pass@host/",
  "an address of a file": "file:///etc/passwd",
  "an address of metadata": "http://169.254.169.254/latest/meta-data",
  "a reference to a slow pattern": `${"a".repeat(40)}!`
}

const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = "deep"
  for (let level = 0; level < depth; level += 1) value = wrap(value)
  return value
}

/** An own key of this name, as JSON.parse makes it. */
const ownPrototype: unknown = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {}}}')

/** What JSON can hold where something else is meant. */
export const hostileJson: Readonly<Record<string, unknown>> = {
  null: null,
  true: true,
  zero: 0,
  "minus zero": -0,
  "minus one": -1,
  "a fraction": 0.5,
  "beyond whole numbers": 2 ** 53 + 2,
  "beyond pids": 2 ** 31,
  "beyond all": Number.POSITIVE_INFINITY,
  "no number": Number.NaN,
  "the smallest": Number.MIN_VALUE,
  "an empty list": [],
  "a list": [1, "a", null],
  "an empty object": {},
  "an object with a prototype": ownPrototype,
  "an object with a length": { length: 2 ** 31 },
  "an object that speaks": { toString: "x", valueOf: "y", toJSON: "z" },
  "a list as deep as ten thousand": nested(10_000, (inner) => [inner]),
  "an object as deep as ten thousand": nested(10_000, (inner) => ({ inner })),
  "a list as long as ten thousand": Array.from({ length: 10_000 }, () => 0),
  ...hostileTexts
}

/** What a file that should hold JSON can hold. */
export const hostileContents: Readonly<Record<string, string | Uint8Array>> = {
  nothing: "",
  "line breaks": "\r\n\r\n",
  torn: '{"version": 1, "task_id": 1, "agent_na',
  "a mark of order": '\ufeff{"version": 1}',
  "UTF-16": Buffer.from('\ufeff{"version": 1}', "utf16le"),
  "bytes that are no text": Uint8Array.of(0x7b, 0xff, 0xfe, 0x00, 0x7d),
  gzip: Uint8Array.of(0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 0x05, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0),
  "null characters": "\u0000".repeat(1000),
  comments: '{"version": 1 /* one */ } // two',
  "a comma too much": '{"version": 1,}',
  "a key twice": '{"version": 1, "version": 2, "version": 1}',
  "a prototype": '{"__proto__": {"version": 1, "phase": "starting"}, "constructor": {"prototype": {"version": 1}}}',
  "a number beyond all": '{"version": 1e400, "task_id": 1e400}',
  "a deep list": `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
  "a deep object": `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
  "a deep list without end": "[".repeat(60_000),
  "a text in place of all": '"version"',
  "a number in place of all": "1",
  "null in place of all": "null",
  "too much": " ".repeat(5 * 1024 * 1024)
}

/** Each place of a JSON value, as the keys that lead there. */
export const placesIn = (value: unknown): ReadonlyArray<ReadonlyArray<string>> => {
  if (typeof value !== "object" || value === null) return [[]]
  return [[], ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner).map((place) => [key, ...place]))]
}

/** The same JSON value with something else at one place. */
export const replaceAt = (value: unknown, [key, ...rest]: ReadonlyArray<string>, hostile: unknown): unknown => {
  if (key === undefined || typeof value !== "object" || value === null) return hostile
  if (Array.isArray(value)) {
    const items: ReadonlyArray<unknown> = value
    return items.map((item, index) => (String(index) === key ? replaceAt(item, rest, hostile) : item))
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, name === key ? replaceAt(inner, rest, hostile) : inner])
  )
}

const forbidden =
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u

const sentenceMax = 2000

/** What is wrong with a sentence for people: null when it is one line, of bounded length, that no terminal obeys. */
export const findUnclean = (sentence: string): string | null => {
  if (sentence.includes("\n")) return "it has more than one line"
  const character = forbidden.exec(sentence)?.[0]
  if (character !== undefined) return `it holds U+${(character.codePointAt(0) ?? 0).toString(16)}`
  if (/\n\s+at |node:internal/.test(sentence)) return "it shows a stack"
  return sentence.length <= sentenceMax ? null : `it is ${sentence.length} characters long`
}

/** The same of a whole output, line by line. */
export const findUncleanLine = (output: string): string | null =>
  output.split("\n").flatMap((line) => findUnclean(line.replaceAll("\t", " ")) ?? [])[0] ?? null
