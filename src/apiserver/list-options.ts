// The query of a list or watch: selectors, versions, paging, and what must not be combined.
import type { KubeObject } from '../contract.ts'
import type { Cause, KindDef } from './model.ts'
import { badRequest, invalid } from './refusals.ts'
import { fieldMatcher, parseLabelSelector } from './selectors.ts'

export type ListQuery = Readonly<{
  matches: (object: KubeObject) => boolean
  /** Whether `matches` can refuse anything. */
  selective: boolean
  limit: number
  continue: string
  /** Undefined when absent or empty. */
  version: number | undefined
  match: 'Exact' | 'NotOlderThan' | undefined
  watch: boolean
  bookmarks: boolean
  initialEvents: boolean | undefined
  /** Seconds; undefined: the server chooses. */
  timeout: number | undefined
}>

const OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' }

/** `true`, `1` and a name without a value say yes. */
export const isTrue = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name)
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

const numberOf = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (/^-?\d+$/.test(text)) return Number(text)
  throw badRequest(`unable to parse query parameter ${name}: strconv.ParseInt: parsing "${text}": invalid syntax`)
}

/** Reads a version. Raises 400 for what is none. */
export const versionOf = (text: string | null): number | undefined => {
  if (text === null || text === '') return undefined
  if (/^\d+$/.test(text)) return Number(text)
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
  )
}

/** Reads the query of a list or watch of a kind. Raises 400 (unreadable) and 422 (not to be combined). */
export const listQuery = (def: KindDef, query: URLSearchParams): ListQuery => {
  const label = query.get('labelSelector') ?? ''
  const field = query.get('fieldSelector') ?? ''
  const byLabel = parseLabelSelector(label)
  const byField = fieldMatcher(def, field)
  const watch = isTrue(query, 'watch')
  const initialEvents = query.has('sendInitialEvents') ? isTrue(query, 'sendInitialEvents') : undefined
  checkCombination(query, watch, initialEvents)
  return {
    matches: object => byLabel(object.metadata.labels) && byField(object),
    selective: label !== '' || field !== '',
    limit: Math.max(0, numberOf(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    version: versionOf(query.get('resourceVersion')),
    match: (query.get('resourceVersionMatch') || undefined) as ListQuery['match'],
    watch,
    bookmarks: isTrue(query, 'allowWatchBookmarks'),
    initialEvents,
    timeout: numberOf(query, 'timeoutSeconds'),
  }
}

const forbidden = (field: string, why: string): Cause => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${why}`,
})

const checkCombination = (query: URLSearchParams, watch: boolean, initialEvents: boolean | undefined): void => {
  const match = query.get('resourceVersionMatch') ?? ''
  const version = query.get('resourceVersion') ?? ''
  const causes: Cause[] = []
  if (watch) {
    if (match !== '' && initialEvents === undefined) {
      causes.push(
        forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      )
    }
    if (initialEvents !== undefined && match !== 'NotOlderThan') {
      causes.push(
        forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
      )
    }
  } else {
    if (initialEvents !== undefined) {
      causes.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
    }
    if (match !== '' && version === '') {
      causes.push(
        forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      )
    }
    if (match !== '' && query.get('continue')) {
      causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
    }
    if (match === 'Exact' && version === '0') {
      const why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
      causes.push(forbidden('resourceVersionMatch', why))
    }
  }
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    const message = `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`
    causes.push({ reason: 'FieldValueNotSupported', field: 'resourceVersionMatch', message })
  }
  if (causes.length > 0) throw invalid(OPTIONS, '', causes)
}
