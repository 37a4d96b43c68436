// Takes fields out of a request by name, for those few that are known only when the whole head is.
import { END, field, nextField, trimField } from './fields.ts'
import { isName, lower } from './octets.ts'
import type { RequestHead } from './request-head.ts'

/** Leaves out all lines of this name; their values. */
export function cutFields(buf: Buffer, head: RequestHead, name: string): string[] {
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
