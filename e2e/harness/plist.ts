/** A property list of macOS as plain values. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Xml from "effect/encoding/Xml"

export type Plist = string | number | boolean | ReadonlyArray<Plist> | { readonly [key: string]: Plist }

const elementsOf = (element: Xml.Element): ReadonlyArray<Xml.Element> =>
  element.children.filter((child) => typeof child !== "string")

const textOf = (element: Xml.Element): string => element.children.filter((child) => typeof child === "string").join("")

const entriesOf = (pairs: ReadonlyArray<Xml.Element>): ReadonlyArray<readonly [string, Plist]> => {
  const [key, value, ...rest] = pairs
  if (key === undefined) return []
  if (key.name !== "key" || value === undefined) throw new Error(`<${key.name}> where a key and its value should be`)
  return [[textOf(key), valueOf(value)], ...entriesOf(rest)]
}

const valueOf = (element: Xml.Element): Plist => {
  switch (element.name) {
    case "dict":
      return Object.fromEntries(entriesOf(elementsOf(element)))
    case "array":
      return elementsOf(element).map(valueOf)
    case "string":
      return textOf(element)
    case "integer":
      return Number(textOf(element))
    case "true":
    case "false":
      return element.name === "true"
    default:
      throw new Error(`<${element.name}> is no value of a property list`)
  }
}

export const parsePlist = (text: string): Promise<Plist> =>
  Stream.make(text).pipe(
    Stream.pipeThroughChannel(Xml.decodeString()),
    Stream.pipeThroughChannel(Xml.elements(["plist", "dict"])),
    Stream.runCollect,
    Effect.flatMap(([root, ...others]) => {
      if (root === undefined || others.length > 0) throw new Error("a property list holds one dictionary")
      return Effect.succeed(valueOf(root))
    }),
    Effect.runPromise
  )
