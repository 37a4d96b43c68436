// Field lines of a head, one by one, strictly; shared by requests, answers and trailers. Nothing is allocated.
import { skipBlanks, TOKEN, trimBlanks, VALUE } from './octets.ts'

/** The line read last, as indexes into the buffer. Valid until the next call. */
export const field = {
  nameTo: 0,
  /** The value with the blanks around it; `trimField` takes them off. */
  valueFrom: 0,
  valueTo: 0,
  /** Behind the line's CRLF. */
  next: 0,
}

/** The line is not there whole. */
export const MORE = 0
/** A field line was read. */
export const LINE = 1
/** The empty line was read: the head ends at `field.next`. */
export const END = 2
/** Not a field line. */
export const BAD = 3

/** Reads the line at `at`. No folding, no blank before the colon, no octet that is not allowed, CRLF and nothing else
 * (RFC 9112 5.1, 5.2, 2.2; where it permits leniency we refuse). */
export function nextField(buf: Uint8Array, at: number, to: number): number {
  let i = at
  if (i >= to) return MORE
  if (buf[i] === 13) {
    if (i + 1 >= to) return MORE
    if (buf[i + 1] !== 10) return BAD
    field.next = i + 2
    return END
  }
  while (i < to && TOKEN[buf[i]!] === 1) i++
  if (i >= to) return MORE
  if (i === at || buf[i] !== 58) return BAD
  const nameTo = i++
  while (i < to && VALUE[buf[i]!] === 1) i++
  if (i >= to) return MORE
  if (buf[i] !== 13) return BAD
  if (i + 1 >= to) return MORE
  if (buf[i + 1] !== 10) return BAD
  field.nameTo = nameTo
  field.valueFrom = nameTo + 1
  field.valueTo = i
  field.next = i + 2
  return LINE
}

/** Tells each field of a head or trailer that has been checked, with its name in lower case; where the section ends. `at`: where
 * its line begins. */
export function eachField(
  buf: Buffer,
  from: number,
  to: number,
  tell: (name: string, value: string, at: number) => void,
): number {
  for (let at = from; nextField(buf, at, to) === LINE; at = field.next) {
    trimField(buf)
    const { nameTo, valueFrom, valueTo } = field
    tell(buf.toString('latin1', at, nameTo).toLowerCase(), buf.toString('latin1', valueFrom, valueTo), at)
  }
  return field.next
}

/** Takes the blanks off both ends of the value (RFC 9110 5.5). Most values are passed on without being looked at. */
export function trimField(buf: Uint8Array): void {
  const { valueTo } = field
  field.valueFrom = Math.min(skipBlanks(buf, field.valueFrom), valueTo)
  field.valueTo = trimBlanks(buf, field.valueFrom, valueTo)
}
