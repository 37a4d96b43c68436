// The fields of every built-in type, read from fields-*.ts here and from api/go-fields-*.ts: for decoding, strategic merge
// and OpenAPI.
//
// A line is `Type: member member ...`; a member is NAME MARK TYPE FLAGS, no type means string.
//   marks  ! always written, absent reads as the zero value    !! the same, an object held by value
//          ? left out when it is the zero value                 ~ left out when it is the zero time
//   types  `*T` present or absent, so an explicit zero is kept; `[]T` list; `map:T` map; int32 int64 bool quantity
//          intOrString time microTime bytes (base64) raw (any JSON); any other word is a type of the tables
//   flags  @KEY lists merge by this member, @ alone: as a set of plain values; + retainKeys; = replaced as a whole

import { podFields } from '../api/go-fields-pod.ts'
import { volumeFields } from '../api/go-fields-volume.ts'
import { coreFields } from './fields-core.ts'
import { groupFields } from './fields-group.ts'

export type Shape =
  | Readonly<{ is: 'leaf'; of: string }>
  | Readonly<{ is: 'object'; of: string }>
  | Readonly<{ is: 'list' | 'map'; of: Shape }>

export type Field = Readonly<{
  name: string
  shape: Shape
  /** Written although it is absent or zero. */
  always: boolean
  /** Objects must have it; documented, not enforced by the tables. */
  required: boolean
  /** An explicit zero differs from an absent value. */
  pointer: boolean
  /** Strategic merge: the member that tells list items apart, '' for sets of plain values, undefined: replaced. */
  mergeKey: string | undefined
  retainKeys: boolean
  /** Strategic merge replaces the object instead of merging into it. */
  replaced: boolean
}>

export type FieldType = Readonly<{ name: string; fields: ReadonlyMap<string, Field>; always: readonly Field[] }>

const leaves = new Set<string>('string bool int32 int64 quantity intOrString time microTime bytes raw'.split(' '))

function shapeOf(text: string): Shape {
  if (text.startsWith('[]')) return { is: 'list', of: shapeOf(text.slice(2)) }
  if (text.startsWith('map:')) return { is: 'map', of: shapeOf(text.slice(4)) }
  const of = text === '' ? 'string' : text
  return { is: leaves.has(of) ? 'leaf' : 'object', of }
}

function fieldOf(member: string): Field {
  const parts = /^([A-Za-z0-9]+)(!!|!|\?|~)(\*?)((?:\[\]|map:)*[A-Za-z0-9]*)(?:@([A-Za-z]*))?([+=]*)$/.exec(member)
  if (!parts) throw new Error(`unreadable member in a field table: ${member}`)
  const [, name = '', mark = '', star = '', type = '', mergeKey, flags = ''] = parts
  return {
    name,
    shape: shapeOf(type),
    always: mark.startsWith('!'),
    required: mark === '!',
    pointer: star === '*',
    mergeKey,
    retainKeys: flags.includes('+'),
    replaced: flags.includes('='),
  }
}

function read(table: string): [string, FieldType][] {
  return table
    .replaceAll(/\n +/g, ' ')
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const name = line.slice(0, line.indexOf(':'))
      const members = line.slice(name.length + 1)
      const fields = members.split(' ').filter(Boolean).map(fieldOf)
      const type = { name, fields: new Map(fields.map(f => [f.name, f])), always: fields.filter(f => f.always) }
      return [name, type]
    })
}

const types: ReadonlyMap<string, FieldType> = new Map(
  [podFields, volumeFields, coreFields, groupFields].flatMap(table => read(table)),
)

/** The fields of a type such as `Container` or `Deployment`; undefined for a name that no table has. */
export const fieldsOf = (type: string): FieldType | undefined => types.get(type)

/** Every type of the tables, for OpenAPI. */
export const allTypes = (): Iterable<FieldType> => types.values()
