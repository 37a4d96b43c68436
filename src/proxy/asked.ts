// What a choice may look at in a request. Nothing is turned into strings before somebody asks.

export type Asked = Readonly<{
  method(): string
  /** Path and query. */
  target(): string
  /** The authority, as it came. */
  host(): string
  /** A header by its name in lower case; repeated ones joined by comma and space (cookies by semicolon and space). */
  header(name: string): string | undefined
}>
