/** What a setting is: its variable, its flag, how its text is read, what holds when nobody gives one. */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Kind, Reader } from "./values.ts"

export interface Setting<A> {
  /** Without the prefix TINYSCHEDULER_. */
  readonly variable: string
  readonly flag: string
  readonly description: string
  /** Null = nobody gave it and it has no default. */
  readonly read: (text: string | null) => Result.Result<A, string>
  /** What its text is expected to be, in words. */
  readonly form: string
  /** The text that is read when nobody gives one. */
  readonly standard: Option.Option<string>
  readonly kind: Kind
  /** Holds for a process's life: a reload that changes it is refused. Every other setting is taken on reload. */
  readonly fixed: boolean
}

/** A setting with a default. */
export const setting = <A>(
  variable: string,
  flag: string,
  reader: Reader<A>,
  standard: string,
  description: string
): Setting<A> => ({
  variable,
  flag,
  description,
  read: (text) => reader.read(text ?? standard),
  form: reader.form,
  standard: Option.some(standard),
  kind: reader.kind,
  fixed: false
})

/** A setting that may be left out; then it is null. */
export const optional = <A>(
  variable: string,
  flag: string,
  reader: Reader<A>,
  description: string
): Setting<A | null> => ({
  variable,
  flag,
  description,
  read: (text) => (text === null ? Result.succeed(null) : reader.read(text)),
  form: reader.form,
  standard: Option.none(),
  kind: reader.kind,
  fixed: false
})

/** The same setting, which a running process doesn't change. */
export const fixed = <A>(changeable: Setting<A>): Setting<A> => ({ ...changeable, fixed: true })

export const prefix = "TINYSCHEDULER_"

/** The whole name of a setting's variable. */
export const nameOf = ({ variable }: Setting<unknown>): string => prefix + variable
