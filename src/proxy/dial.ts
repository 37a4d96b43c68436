// Where an address is really dialled: a map from one IPv4 range to another, for worlds whose pods live on loopback.
import { UserError } from '../errors.ts'

/** Host and port as the table says them, to host and port as a socket needs them. */
export type Dial = (host: string, port: number) => { host: string; port: number }

/** Ports below are moved up by as much. */
const MOVED = 20_000

export const dialAsIs: Dial = (host, port) => ({ host, port })

/** `10.0.0.0/8=127.0.0.0/8`: addresses of the first range become those of the second, the rest of the bits kept.
 * Ports below 20000 of mapped addresses become 20000 + port: nobody may listen below 1024 without privilege, and a
 * program that listens on port 8080 of all addresses has it on all of loopback, too.
 * Raises UserError PIN4002. */
export function dialMap(text: string): Dial {
  const [from, to] = text.split('=').map(range)
  if (!from || !to || from.bits !== to.bits)
    throw new UserError('PIN4002', `bad dial map ${text}`, 'Give two ranges of one size: 10.0.0.0/8=127.0.0.0/8.', 2)
  const mask = from.bits === 0 ? 0 : (-1 << (32 - from.bits)) >>> 0
  return (host, port) => {
    const address = number(host)
    if (address === undefined || (address & mask) >>> 0 !== (from.base & mask) >>> 0) return { host, port }
    const mapped = ((to.base & mask) | (address & ~mask)) >>> 0
    return { host: dotted(mapped), port: port < MOVED ? MOVED + port : port }
  }
}

function range(text: string): { base: number; bits: number } | undefined {
  const [address = '', length = ''] = text.trim().split('/')
  const base = number(address)
  const bits = Number(length)
  return base === undefined || !/^\d+$/.test(length) || bits > 32 ? undefined : { base, bits }
}

function number(address: string): number | undefined {
  const parts = address.split('.')
  if (parts.length !== 4 || parts.some(p => !/^\d{1,3}$/.test(p) || Number(p) > 255)) return undefined
  return parts.reduce((sum, p) => sum * 256 + Number(p), 0)
}

const dotted = (n: number): string => [24, 16, 8, 0].map(shift => (n >>> shift) & 255).join('.')
