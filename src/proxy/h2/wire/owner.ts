// Whose a connection is, and what it allows to the other side.
import type { HeaderList } from './hpack-decode.ts'
import type { Stream } from './stream.ts'

/** Whose connection it is. */
export type Owner = {
  /** A client has begun a stream. `list`: null when its head is too long. `isBare`: no body follows. */
  begins(stream: Stream, list: HeaderList | null, isBare: boolean): void
  /** All of a read has been told. */
  readEnds(): void
  /** The peer's settings came. */
  settled(): void
  /** It is over, and so are all its streams. */
  closed(): void
}

/** What is allowed to the peer. */
export type Terms = Readonly<{
  isServer: boolean
  /** Streams at once. */
  streams: number
  /** Octets on their way, for one stream and for all. */
  streamWindow: number
  window: number
  /** Octets of a head, counted as in RFC 9113 6.5.2. */
  headerList: number
}>
