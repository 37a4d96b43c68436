// What an API server that has our definitions does with manifests: it accepts, refuses, drops and defaults as the
// reference does.
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { submit, type View } from './server-view.ts'
import { table } from './vectors.ts'

type Row = Readonly<{
  name: string
  kind: string
  manifest: KubeObject
  old?: KubeObject
  want: 'accepted' | 'rejected'
  pruned?: readonly string[]
  stored?: KubeObject
  errors?: readonly Readonly<{ field: string; type: string; message: string }>[]
}>

// The table's messages begin with the field, which the wire carries apart.
const textOf = ({ message }: Readonly<{ message: string }>): string => message.replace(/^[^ ]*?: /, '')

const wanted = ({ want, stored, manifest, pruned = [], errors = [] }: Row): View =>
  want === 'accepted'
    ? { want, stored: stored ?? manifest, pruned }
    : { want, fields: [...new Set(errors.map(error => error.field))].sort(), messages: errors.map(textOf).sort() }

test('every manifest of the table is accepted, refused, pruned and defaulted as by the reference', async t => {
  const rows = table<Row[]>('accept')
  if (!rows) {
    t.pass('not judged', { skip: 'no accept.json in the given folder' })
    return
  }
  for (const row of rows) {
    const got = submit(row.kind, row.manifest, row.old)
    if (row.errors?.some(error => error.field === 'apiVersion' || error.field === 'kind')) {
      // Over the wire another API version is refused before the object is looked at, without a field.
      t.equal(got.want, 'rejected', row.name)
      continue
    }
    // Only our own copy is held to the words, which are the API server's and change with its version.
    const isOurs = process.env['VECTORS'] === undefined
    const plain = (view: View): View => (view.want === 'accepted' || isOurs ? view : { ...view, messages: [] })
    t.strictSame(plain(got), plain(wanted(row)), row.name)
  }
  t.ok(rows.length > 0, 'there are rows to judge')
})
