// The PROXY protocol, versions 1 and 2: who is behind the load balancer that this connection comes from; and version 2
// written for pods that want to know who is behind this proxy.
// Source: haproxy's specification, doc/proxy-protocol.txt, sections 2.1 and 2.2.
import { isIP } from 'node:net'

/** `size`: octets of the header. `peer` undefined: the balancer speaks for itself (LOCAL, UNKNOWN), such as a health check. */
export type ProxyHeader = Readonly<{ size: number; peer: string | undefined }>

/** 107 octets are the longest line of version 1. */
const MOST_V1 = 107
const V1 = Buffer.from('PROXY ')
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Address blocks of version 2 hold what follows them, extensions; more than this nobody sends. */
const MOST_V2 = 4096

/** Reads a header from what came so far. 'more': it is not there whole; a text in `why`: it is none. */
export function readProxyHeader(octets: Buffer): ProxyHeader | 'more' | Readonly<{ why: string }> {
  const begins = (with_: Buffer) => octets.subarray(0, with_.length).equals(with_.subarray(0, octets.length))
  if (begins(V2)) return octets.length < V2.length + 4 ? 'more' : readV2(octets)
  if (begins(V1)) return readV1(octets)
  return { why: 'no PROXY protocol header' }
}

function readV1(octets: Buffer): ProxyHeader | 'more' | Readonly<{ why: string }> {
  const end = octets.subarray(0, MOST_V1).indexOf('\r\n')
  if (end < 0) return octets.length < MOST_V1 ? 'more' : { why: 'the PROXY line is too long' }
  const size = end + 2
  const parts = octets.toString('latin1', 0, end).split(' ')
  const [, family, from = '', to = '', fromPort, toPort] = parts
  if (family === 'UNKNOWN') return { size, peer: undefined }
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined
  const isGood = parts.length === 6 && isOf(version, from) && isOf(version, to) && isPort(fromPort) && isPort(toPort)
  return isGood ? { size, peer: version === 6 ? shortened(from) : from } : { why: 'a malformed PROXY line' }
}

/** Zones, which mean something on the balancer only, are no part of the specification's addresses. */
const isOf = (version: number | undefined, address: string): boolean =>
  isIP(address) === version && !address.includes('%')

const isPort = (text: string | undefined): boolean =>
  text !== undefined && /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535

const LOCAL = 0x20
const PROXY = 0x21
/** Octets of an address block: TCP over IPv4 and IPv6. */
const TCP4 = 0x11
const TCP6 = 0x21

function readV2(octets: Buffer): ProxyHeader | 'more' | Readonly<{ why: string }> {
  const at = V2.length
  const command = octets[at]!
  const family = octets[at + 1]!
  const length = octets.readUInt16BE(at + 2)
  const from = at + 4
  const size = from + length
  if (command !== LOCAL && command !== PROXY) return { why: 'an unknown PROXY command' }
  if (length > MOST_V2) return { why: 'the PROXY header is too long' }
  if (octets.length < size) return 'more'
  // The balancer's own connections, and families that have no address for us.
  if (command === LOCAL || (family !== TCP4 && family !== TCP6)) return { size, peer: undefined }
  if (length < (family === TCP4 ? 12 : 36)) return { why: 'the PROXY header is too short for its addresses' }
  if (family === TCP4) return { size, peer: octets.subarray(from, from + 4).join('.') }
  const groups = Array.from({ length: 8 }, (_, i) => octets.readUInt16BE(from + 2 * i).toString(16))
  return { size, peer: shortened(groups.join(':')) }
}

/** As RFC 5952 writes it; IPv4 within IPv6 as IPv4, as everywhere else here. */
function shortened(address: string): string {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ?? []
  if (high === undefined || low === undefined) return text
  const octets = [high, low].flatMap(group => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
  return octets.join('.')
}

/** One end of a connection; IPv6 without brackets. */
export type End = Readonly<{ address: string; port: number }>

/** The header of version 2 for a connection that the proxy makes for itself. */
export const LOCAL_HEADER: Buffer = Buffer.concat([V2, Buffer.from([LOCAL, 0, 0, 0])])

/** The header of version 2 for a connection on behalf of a client at `from`, which reached the proxy at `to`. Ends of two
 * families are both given as IPv6. */
export function proxyHeader(from: End, to: End): Buffer {
  if (isIP(from.address) === 0) return LOCAL_HEADER
  const isV4 = isIP(from.address) === 4 && isIP(to.address) !== 6
  const octets = isV4 ? octetsOf4 : octetsOf6
  const target = isIP(to.address) === 0 ? (isV4 ? '0.0.0.0' : '::') : to.address
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(from.port, 0)
  ports.writeUInt16BE(to.port, 2)
  const block = Buffer.concat([octets(from.address), octets(target), ports])
  return Buffer.concat([V2, Buffer.from([PROXY, isV4 ? TCP4 : TCP6, 0, block.length]), block])
}

const octetsOf4 = (address: string): Buffer => Buffer.from(address.split('.').map(Number))

/** IPv4 within IPv6 (RFC 4291 2.5.5.2). */
function octetsOf6(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.concat([Buffer.alloc(10), Buffer.from([255, 255]), octetsOf4(address)])
  // A zone means something here only.
  const text = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const missing = 8 - groups(head).length - groups(tail ?? '').length
  const all = [
    ...groups(head),
    ...Array.from({ length: tail === undefined ? 0 : missing }, () => '0'),
    ...groups(tail ?? ''),
  ]
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex')
}
