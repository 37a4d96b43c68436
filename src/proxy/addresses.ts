// Addresses and ranges as people write them.
import { BlockList, isIP } from 'node:net'
import { UserError } from '../errors.ts'
import type { Trusts } from './core.ts'
import type { Listen } from './listen.ts'

/** Reads `HOST:PORT` or `:PORT`; IPv6 hosts in brackets. Raises UserError PIN4006. */
export function listenOf(text: string): Listen {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535)
    throw new UserError('PIN4006', `bad address ${text}`, 'Write HOST:PORT or :PORT, such as 127.0.0.1:8080.', 2)
  const host = bracketed ?? plain ?? ''
  return host === '' ? { port } : { host, port }
}

/** The host to put into a URL for somebody on this machine. */
export function urlHost(listen: string | undefined): string {
  const { host } = listenOf(listen ?? '127.0.0.1:0')
  if (host === undefined || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** Whom to believe: peers in these addresses and ranges. Raises UserError PIN4006; `flag` is where they were given. */
export function trustsOf(ranges: readonly string[], flag?: string): Trusts {
  if (ranges.length === 0) return () => false
  const list = new BlockList()
  for (const range of ranges) {
    const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(range) ?? []
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    try {
      if (bits === undefined) list.addAddress(address, family)
      else list.addSubnet(address, Number(bits), family)
    } catch {
      const what = `bad range ${range}${flag === undefined ? '' : ` in ${flag}`}`
      throw new UserError('PIN4006', what, 'Write an address or a range such as 10.0.0.0/8.', 2)
    }
  }
  return peer => list.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4')
}
