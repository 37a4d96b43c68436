// What an IP address may be, and where it may not point: endpoints in the loopback range would be this very machine.
import type { Dialect } from './causes.ts'
import { isIP } from './ip.ts'

/** What is wrong with a text as an IP address; empty: nothing. */
export function addressFaults(text: string, dialect: Dialect = '1.37'): string[] {
  // Older releases read 01.2.3.4 as if the zero were not there.
  const read = dialect === '1.34' ? text.replace(/(?<=^|\.)0+(?=\d)/g, '') : text
  if (isIP(read) !== 0) return []
  const octets = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split('.') : []
  if (octets.some(octet => octet.length > 1 && octet.startsWith('0')) && octets.every(octet => Number(octet) < 256))
    return ['must not have leading 0s']
  return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
}

const special: readonly (readonly [pattern: RegExp, fault: string])[] = [
  [/^0\.0\.0\.0$|^::$/, 'may not be unspecified (ADDRESS)'],
  [/^127\.|^::1$/, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^169\.254\.|^fe[89ab]/i, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^224\.0\.0\.|^ff02:/i, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

/** Why an address cannot be an endpoint; empty: it can. */
export const endpointFaults = (text: string): string[] =>
  special.filter(([pattern]) => pattern.test(text)).map(([, fault]) => fault.replace('ADDRESS', text))
