/** One way to get the configuration wrong, and what the command must say about it. */

/** Runs before the command, in its working directory. */
export type Prepare = (folder: string) => void

export interface Wrong {
  readonly name: string
  /** `run --once` unless said; `{}` is the working directory. */
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** By path, relative to the working directory. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly prepare?: Prepare
  /** As somebody who is not root and to whom nothing here belongs. */
  readonly asNobody?: true
  /** Every sentence on stderr; `{}` is the working directory. */
  readonly says: ReadonlyArray<string>
  /** What must not be in any output. */
  readonly secret?: string
}

export const once = ["run", "--once"]
