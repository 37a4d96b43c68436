// The one option of a table: how much of each object its rows carry.
import type { TableOptions } from './rendering.ts'

/** Reads `includeObject`; metadata alone when not given. */
export const tableOptions = (query: URLSearchParams): TableOptions => {
  const wanted = query.get('includeObject')
  return { includeObject: wanted === 'None' || wanted === 'Object' ? wanted : 'Metadata' }
}
