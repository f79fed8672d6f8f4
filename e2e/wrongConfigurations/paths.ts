/** Paths that lead nowhere or to something else, and files of variables that can't be read. */
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { once } from "./Wrong.ts"
import type { Wrong } from "./Wrong.ts"

const variable = (name: string, value: string) => ({ env: { [`TINYSCHEDULER_${name}`]: value } })

const base: ReadonlyArray<Wrong> = [
  {
    name: "a base path that is not there",
    args: [...once, "--base-path", "nope"],
    says: ["--base-path (TINYSCHEDULER_BASE_PATH): there is no directory {}/nope; make it, or name another one"]
  },
  {
    name: "a base path in a place where nobody can make one",
    ...variable("BASE_PATH", "/proc/nope"),
    says: ["TINYSCHEDULER_BASE_PATH: there is no directory /proc/nope; make it, or name another one"]
  },
  {
    name: "a base path that is a file",
    args: ["tinytask", "serve", "--base-path", "file"],
    files: { file: "" },
    says: ["--base-path (TINYSCHEDULER_BASE_PATH): {}/file is a file, expected a directory"]
  },
  {
    name: "a base path in .env that is not there",
    args: ["status"],
    files: { ".env": "TINYSCHEDULER_BASE_PATH=deep/er\n" },
    says: ["TINYSCHEDULER_BASE_PATH in {}/.env: there is no directory {}/deep/er; make it, or name another one"]
  },
  {
    name: "a base path that the shell did not find",
    args: [...once, "--base-path", ""],
    says: ["--base-path (TINYSCHEDULER_BASE_PATH): is empty; expected a path"]
  },
  {
    name: "a base path with a ~ that no shell replaced",
    ...variable("BASE_PATH", "~/agents"),
    says: ['TINYSCHEDULER_BASE_PATH: "~/agents" has a ~ that only a shell replaces; write the whole path']
  },
  {
    name: "a base path of others",
    asNobody: true,
    args: [...once, "--base-path", "closed"],
    prepare: (folder) => mkdirSync(join(folder, "closed"), { mode: 0o700 }),
    says: ["--base-path (TINYSCHEDULER_BASE_PATH): {}/closed can't be entered by this user"]
  }
]

const own = "expected a directory of its own, like state/running"

const directories: ReadonlyArray<Wrong> = [
  {
    name: "leases in a file",
    ...variable("RUNNING_DIR", "file"),
    files: { file: "" },
    says: ["TINYSCHEDULER_RUNNING_DIR: {}/file is a file, expected a directory"]
  },
  {
    name: "logs below a file",
    args: [...once, "--log-dir", "file/logs"],
    files: { file: "" },
    says: ["--log-dir (TINYSCHEDULER_LOG_DIR): {}/file is a file, expected a directory"]
  },
  {
    name: "recipes in a file",
    ...variable("RECIPES_DIR", "file"),
    files: { file: "" },
    says: ["TINYSCHEDULER_RECIPES_DIR: {}/file is a file, expected a directory"]
  },
  {
    name: "leases behind a link to nowhere",
    ...variable("RUNNING_DIR", "link/running"),
    prepare: (folder) => symlinkSync("nowhere", join(folder, "link")),
    says: ["TINYSCHEDULER_RUNNING_DIR: {}/link is a symbolic link that leads nowhere"]
  },
  {
    name: "leases in the base path itself",
    ...variable("RUNNING_DIR", "."),
    says: [`TINYSCHEDULER_RUNNING_DIR: {} is the base path or above it; ${own}`]
  },
  {
    name: "leases above the base path",
    ...variable("RUNNING_DIR", "/tmp"),
    says: [`TINYSCHEDULER_RUNNING_DIR: /tmp is the base path or above it; ${own}`]
  },
  {
    name: "leases right below the root",
    ...variable("RUNNING_DIR", "/tinyscheduler-leases"),
    says: [`TINYSCHEDULER_RUNNING_DIR: /tinyscheduler-leases would put the rest of the state into /; ${own}`]
  },
  {
    name: "leases and logs in one directory",
    ...variable("LOG_DIR", "state/running"),
    says: ["TINYSCHEDULER_LOG_DIR: {}/state/running is where leases stand; expected a directory of its own"]
  },
  {
    name: "recipes among the claims",
    ...variable("RECIPES_DIR", "state/claims"),
    says: ["TINYSCHEDULER_RECIPES_DIR: {}/state/claims is where claims stand; expected a directory of its own"]
  },
  {
    name: "a variable that no shell replaced",
    files: { ".env": "TINYSCHEDULER_LOG_DIR='$HOME/logs'\n" },
    says: ['TINYSCHEDULER_LOG_DIR in {}/.env: "$HOME/logs" has a $ that only a shell replaces; write the whole path']
  },
  {
    name: "a path with a blank at its end",
    ...variable("LOG_DIR", "logs "),
    says: ['TINYSCHEDULER_LOG_DIR: "logs " begins or ends with a blank; expected a path']
  },
  {
    name: "a path over two lines",
    ...variable("RECIPES_DIR", "recipes\nmore"),
    says: ['TINYSCHEDULER_RECIPES_DIR: "recipes\\u000amore" holds a control character; expected a path']
  },
  {
    name: "no program for Goose",
    args: [...once, "--goose-bin", ""],
    says: ["--goose-bin (TINYSCHEDULER_GOOSE_BIN): is empty; expected a program's name or path"]
  }
]

const lock: ReadonlyArray<Wrong> = [
  {
    name: "a lock that is a directory",
    ...variable("LOCK_FILE", "state"),
    prepare: (folder) => mkdirSync(join(folder, "state"), { mode: 0o700 }),
    says: ["TINYSCHEDULER_LOCK_FILE: {}/state is a directory, expected a file"]
  },
  {
    name: "a lock that would be written over somebody's file",
    ...variable("LOCK_FILE", "agent-control.json"),
    files: { "agent-control.json": "[]" },
    says: [
      "TINYSCHEDULER_LOCK_FILE: {}/agent-control.json is there and is no lock, which would be written over; expected a file of its own"
    ]
  },
  {
    name: "a directory in the lock's place",
    prepare: (folder) => mkdirSync(join(folder, "state/tinyscheduler.lock"), { recursive: true, mode: 0o700 }),
    says: ["TINYSCHEDULER_LOCK_FILE: {}/state/tinyscheduler.lock is a directory, expected a file"]
  },
  {
    name: "a file in the leases' place",
    files: { "state/running": "" },
    says: ["TINYSCHEDULER_RUNNING_DIR: {}/state/running is a file, expected a directory"]
  },
  {
    name: "a state that is a file, where nobody set anything",
    files: { state: "" },
    says: [
      "TINYSCHEDULER_RUNNING_DIR: {}/state is a file, expected a directory",
      "TINYSCHEDULER_LOG_DIR: {}/state is a file, expected a directory",
      "TINYSCHEDULER_LOCK_FILE: {}/state is a file, expected a directory"
    ]
  }
]

const utf16 = (text: string): Uint8Array => Buffer.from(`\ufeff${text}`, "utf16le")

const envFiles: ReadonlyArray<Wrong> = [
  {
    name: "a file of variables that is named and missing",
    args: [...once, "--env-file", "nope.env"],
    says: ["--env-file nope.env: there is no such file"]
  },
  {
    name: "a file of variables that the shell did not find",
    args: ["--env-file", "", ...once],
    says: ["--env-file: is empty; expected a path"]
  },
  {
    name: "a directory for a file of variables",
    prepare: (folder) => mkdirSync(join(folder, ".env")),
    says: ["{}/.env is a directory, not a file"]
  },
  {
    name: "a named pipe for a file of variables",
    args: [...once, "--env-file", "pipe"],
    prepare: (folder) => void execFileSync("mkfifo", [join(folder, "pipe")]),
    says: ["{}/pipe is a named pipe, not a file"]
  },
  {
    name: "a quotation mark that is never closed",
    files: { ".env": '# first\nTINYSCHEDULER_AGENT_LIMITS=\'{"vaela": 1}\nTINYSCHEDULER_MCP_TOKEN=hush\n' },
    says: ["{}/.env: line 2: the value of TINYSCHEDULER_AGENT_LIMITS begins with ' and never ends"],
    secret: "hush"
  },
  {
    name: "a quotation mark that the next line closes",
    files: { ".env": 'TINYSCHEDULER_BASE_PATH="/srv\nTINYSCHEDULER_MCP_TOKEN="hush"\n' },
    says: ['{}/.env: line 1: the value of TINYSCHEDULER_BASE_PATH begins with " and never ends'],
    secret: "hush"
  },
  {
    name: "another encoding",
    files: { ".env": utf16("TINYSCHEDULER_MAX_LOST=3\n") },
    says: ["{}/.env is not UTF-8 text"]
  },
  {
    name: "a file of variables without measure",
    files: { ".env": "" },
    prepare: (folder) => truncateSync(join(folder, ".env"), 2 * 1024 ** 2),
    says: ["{}/.env is larger than 1 MiB"]
  },
  {
    name: "a file of variables that everybody may write",
    prepare: (folder) => {
      writeFileSync(join(folder, ".env"), "")
      chmodSync(join(folder, ".env"), 0o666)
    },
    says: ["{}/.env can be written by everybody"]
  },
  {
    name: "a file of variables of others",
    asNobody: true,
    files: { ".env": "TINYSCHEDULER_MCP_TOKEN=hush\n" },
    prepare: (folder) => chmodSync(join(folder, ".env"), 0o600),
    says: ["{}/.env can't be opened: permission denied (EACCES)"],
    secret: "hush"
  }
]

export const wrongPaths: ReadonlyArray<Wrong> = [...base, ...directories, ...lock, ...envFiles]
