// Heads and trailers that are malformed (RFC 9113 8.1.1): what of them would mean something else elsewhere, or nothing.
import { TOKEN, VALUE } from '../../engine/octets.ts'
import type { HeaderList } from './hpack-decode.ts'

/** They speak of one HTTP/1.1 connection (RFC 9113 8.2.2). */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** A token without capitals (8.2.1). */
function isName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const octet = name.charCodeAt(i)
    if (TOKEN[octet] !== 1 || (octet >= 65 && octet <= 90)) return false
  }
  return name.length > 0
}

/** NUL, CR and LF are ruled out by 8.2.1, as are blanks at either end; other controls are no part of a value (RFC 9110 5.5). */
function isValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (VALUE[value.charCodeAt(i)] !== 1) return false
  return !isBlank(value, 0) && !isBlank(value, value.length - 1)
}

const isBlank = (value: string, at: number): boolean => value[at] === ' ' || value[at] === '\t'

/** What is wrong with a field that is no pseudo-field; undefined: nothing. */
function fieldFault(name: string, value: string): string | undefined {
  if (!isName(name)) return 'a malformed field name'
  if (!isValue(value)) return 'a malformed field value'
  if (OF_CONNECTION.has(name)) return `${name} is of HTTP/1.1`
  if (name === 'te' && value !== 'trailers') return 'TE may only name trailers'
  return undefined
}

const REQUEST = new Set([':method', ':scheme', ':path', ':authority'])
const ANSWER = new Set([':status'])
const NONE: ReadonlySet<string> = new Set()

/** What is malformed in the head of a request; undefined: nothing. */
export function requestFault(list: HeaderList): string | undefined {
  const fault = listFault(list, REQUEST)
  if (fault !== undefined) return fault
  // CONNECT names neither scheme nor path (8.5).
  const needed = fieldOf(list, ':method') === 'CONNECT' ? [] : [':method', ':scheme', ':path']
  for (const name of needed) if (fieldOf(list, name) === undefined) return `no ${name}`
  return undefined
}

/** Instead of a status. */
export const MALFORMED = 0

type AnswerHead = Readonly<{ status: number; length: number | undefined }>
let lastList: HeaderList = []
let lastHead: AnswerHead = { status: MALFORMED, length: undefined }

/** The status of an answer's head, or MALFORMED, and the length of its body if it tells that. */
export function readAnswerHead(list: HeaderList): AnswerHead {
  // A list that is the same has been looked at.
  if (list !== lastList) {
    const status = fieldOf(list, ':status') ?? ''
    const length = lengthOf(list)
    // 101 means nothing in HTTP/2 (8.6).
    const isFine =
      /^[1-5]\d\d$/.test(status) && status !== '101' && length !== -1 && listFault(list, ANSWER) === undefined
    lastHead = { status: isFine ? Number(status) : MALFORMED, length }
    lastList = list
  }
  return lastHead
}

/** What is malformed in trailers; undefined: nothing. */
export const trailersFault = (list: HeaderList): string | undefined => listFault(list, NONE)

function listFault(list: HeaderList, pseudo: ReadonlySet<string>): string | undefined {
  const seen = new Set<string>()
  let isBehind = false
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!
    const value = list[i + 1]!
    if (name.startsWith(':')) {
      if (isBehind || seen.has(name) || !pseudo.has(name)) return `${JSON.stringify(name)} has no place there`
      if (!isValue(value)) return `a malformed ${name}`
      seen.add(name)
    } else {
      isBehind = true
      const fault = fieldFault(name, value)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

/** The value of a field that is there once, or the first one. */
export function fieldOf(list: HeaderList, name: string): string | undefined {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1]
  return undefined
}

/** The length that a head announces; undefined: none, -1: it is no plain number, or there are several. */
export function lengthOf(list: HeaderList): number | undefined {
  let length: number | undefined
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== 'content-length') continue
    if (length !== undefined || !/^(0|[1-9]\d{0,14})$/.test(list[i + 1]!)) return -1
    length = Number(list[i + 1])
  }
  return length
}
