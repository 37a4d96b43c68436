// Fields that a Connection header declares to be for this hop only: found in a second pass, as they are rare.
import type { Cuts } from './cuts.ts'
import { END, field, nextField, trimField } from './fields.ts'
import { isName, lower } from './octets.ts'

const CONNECTION = lower('connection')

/** Cuts the fields of a whole head that its Connection lines name. False when there are too many. */
export function cutNamed(buf: Buffer, fieldsFrom: number, end: number, cuts: Cuts): boolean {
  const named = new Set<string>()
  for (let at = fieldsFrom; nextField(buf, at, end) !== END; at = field.next) {
    if (field.nameTo - at !== CONNECTION.length || !isName(buf, at, CONNECTION)) continue
    trimField(buf)
    const list = buf.toString('latin1', field.valueFrom, field.valueTo)
    for (const token of list.split(',')) named.add(token.trim().toLowerCase())
  }
  for (let at = fieldsFrom; nextField(buf, at, end) !== END; at = field.next) {
    if (!named.has(buf.toString('latin1', at, field.nameTo).toLowerCase()) || cuts.has(at)) continue
    if (!cuts.insert(at, field.next)) return false
  }
  return true
}
