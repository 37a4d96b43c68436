// Takes fields out of a head by name, for those few that are known only when the whole head is.
import type { Cuts } from './cuts.ts'
import { END, field, nextField, trimField } from './fields.ts'
import { isName, lower } from './octets.ts'

/** Of a request or an answer; indexes into the buffer that it was read from. */
type Head = Readonly<{ fieldsFrom: number; end: number; cuts: Cuts }>

/** Leaves out all lines of this name; their values. */
export function cutFields(buf: Buffer, head: Head, name: string): string[] {
  const wanted = lower(name)
  const values: string[] = []
  for (let at = head.fieldsFrom; nextField(buf, at, head.end) !== END; at = field.next) {
    if (field.nameTo - at !== wanted.length || !isName(buf, at, wanted) || head.cuts.has(at)) continue
    trimField(buf)
    values.push(buf.toString('latin1', field.valueFrom, field.valueTo))
    head.cuts.insert(at, field.next)
  }
  return values
}
