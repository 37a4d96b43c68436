// Takes a cookie that is the proxy's own out of a request, so that the pod never sees it.
import { END, field, nextField, trimField } from './fields.ts'
import { isName, lower, skipBlanks, trimBlanks } from './octets.ts'
import type { RequestHead } from './request-head.ts'

const COOKIE = lower('cookie')
const SEMICOLON = 59
const EQUALS = 61
/** Browsers send one for each path that they know; whoever sends more in one line loses the line. */
const MOST_CUTS = 8

/** Leaves out all cookies of this name (its case counts), and a line that holds no other. */
export function cutCookie(buf: Buffer, head: RequestHead, name: string): void {
  for (let at = head.fieldsFrom; nextField(buf, at, head.end) !== END; at = field.next) {
    // A line that a Connection field names is left out already.
    if (field.nameTo - at !== COOKIE.length || !isName(buf, at, COOKIE) || head.cuts.has(at)) continue
    trimField(buf)
    cutPairs(buf, head, name, at)
  }
}

function cutPairs(buf: Buffer, { cuts }: RequestHead, name: string, line: number): void {
  const { valueFrom, valueTo, next } = field
  const found: number[] = []
  /** Does a pair that stays lie before? Then the semicolon in front goes along, else the one behind. */
  let stays = false
  for (let from = valueFrom; from < valueTo; ) {
    const semicolon = buf.indexOf(SEMICOLON, from)
    const to = semicolon < 0 || semicolon > valueTo ? valueTo : semicolon
    const isOurs = isNamed(buf, from, to, name)
    const after = isOurs && !stays ? Math.min(valueTo, skipBlanks(buf, to + 1)) : to + 1
    if (isOurs) found.push(stays ? from - 1 : from, stays ? to : after)
    else stays = true
    from = after
  }
  if (found.length === 0) return
  if (stays && found.length <= 2 * MOST_CUTS)
    for (let i = 0; i < found.length; i += 2) cuts.insert(found[i]!, found[i + 1]!)
  else cuts.insert(line, next)
}

/** Is [from, to) a pair of this name? */
function isNamed(buf: Buffer, from: number, to: number, name: string): boolean {
  const equals = buf.indexOf(EQUALS, from)
  if (equals < 0 || equals >= to) return false
  const first = skipBlanks(buf, from)
  return buf.toString('latin1', first, trimBlanks(buf, first, equals)) === name
}
