// Frames of HTTP/2 by number (RFC 9113 4, 6 and 7).

export const DATA = 0
export const HEADERS = 1
export const PRIORITY = 2
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

/** Flags. */
export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8
export const WITH_PRIORITY = 0x20

/** Octets of a frame's own head, */
export const FRAME_HEAD = 9
/** and of what it may carry, unless a peer allows more; this side never does. */
export const MOST_PAYLOAD = 16_384
/** Octets that may be on their way before either side has said anything (RFC 9113 6.9.2), and ever. */
export const FIRST_WINDOW = 65_535
export const LARGEST_WINDOW = 2 ** 31 - 1
/** The last identifier that a stream can have (RFC 9113 5.1.1). */
export const LAST_STREAM = 2 ** 31 - 1

/** Settings (RFC 9113 6.5.2). */
export const SETTING = {
  tableSize: 1,
  push: 2,
  streams: 3,
  window: 4,
  payload: 5,
  headerList: 6,
} as const

/** The client's first octets (RFC 9113 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
