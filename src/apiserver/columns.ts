// What the columns of several kinds share: names, ages, containers, selectors as text.

import { type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { ageText } from './age.ts'
import type { Column } from './model.ts'

type Cell = string | number | boolean | null
type Reader = (object: Tree, now: number) => Cell

type Options = Readonly<{ type?: Column['type']; format?: string; wide?: boolean }>

/** A computed column; `wide` shows it with -o wide only. */
export const column = (name: string, read: Reader, { type = 'string', format, wide }: Options = {}): Column => ({
  name,
  type,
  ...(format === undefined ? {} : { format }),
  priority: wide ? 1 : 0,
  value: (object, now) => read(object as Tree, now),
})

/** A column of whole numbers. */
export const count = (name: string, read: (object: Tree) => number): Column => column(name, read, { type: 'integer' })

/** A column of -o wide. */
export const wide = (name: string, read: Reader): Column => column(name, read, { wide: true })

export const specOf = (object: Tree): Tree => treeAt(object, 'spec')
export const statusOf = (object: Tree): Tree => treeAt(object, 'status')

export const nameColumn = column('Name', object => textAt(treeAt(object, 'metadata'), 'name'), { format: 'name' })
export const ageColumn = column('Age', (object, now) => ageText(treeAt(object, 'metadata')['creationTimestamp'], now))
/** The time of creation as it is stored, for kinds that kubectl shows so. */
export const createdColumn = column('Created At', object => textAt(treeAt(object, 'metadata'), 'creationTimestamp'), {
  type: 'date',
})

/** A text, or the word for none. */
export const orNone = (text: string, none = '<none>'): string => (text === '' ? none : text)

/** `a=b,c=d` in the order of the keys. */
export const labelsText = (labels: Tree): string =>
  orNone(
    Object.keys(labels)
      .sort()
      .map(key => `${key}=${labels[key]}`)
      .join(','),
  )

/** A LabelSelector as text, sorted by key; `<none>` when it selects everything. */
export function selectorText(selector: Tree): string {
  const labels = treeAt(selector, 'matchLabels')
  const terms: [string, string][] = Object.entries(labels).map(([key, value]) => [key, `${key}=${value}`])
  for (const expression of treesAt(selector, 'matchExpressions')) {
    const key = textAt(expression, 'key')
    const operator = textAt(expression, 'operator')
    const values = Array.isArray(expression['values']) ? expression['values'].toSorted().join(',') : ''
    if (operator === 'Exists') terms.push([key, key])
    else if (operator === 'DoesNotExist') terms.push([key, `!${key}`])
    else terms.push([key, `${key} ${operator.toLowerCase()} (${values})`])
  }
  return orNone(
    terms
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, text]) => text)
      .join(','),
  )
}

const templateOf = (object: Tree): Tree => treeAt(specOf(object), 'template')
const containersText = (template: Tree, key: string): string =>
  treesAt(treeAt(template, 'spec'), 'containers')
    .map(container => textAt(container, key))
    .join(',')

export const containerNames = (template: Tree): string => containersText(template, 'name')
export const containerImages = (template: Tree): string => containersText(template, 'image')

/** What -o wide adds to everything that makes Pods from a template. */
export const templateColumns: readonly Column[] = [
  wide('Containers', object => containerNames(templateOf(object))),
  wide('Images', object => containerImages(templateOf(object))),
  wide('Selector', object => selectorText(treeAt(specOf(object), 'selector'))),
]

/** The first few of a list, and how many more there are. */
export function some(list: readonly string[], most: number, separator = ',', total = list.length): string {
  const shown = list.slice(0, most).join(separator)
  return total > most ? `${shown} + ${total - most} more...` : shown
}
