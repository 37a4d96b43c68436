// Requests that read: one object, its status, scale or log; lists and watches.
import { negotiate } from './accept.ts'
import { inVersionOf } from './core.ts'
import type { Answer, Incoming } from './exchange.ts'
import { jsonAnswer, textAnswer } from './exchange.ts'
import { listObjects } from './list.ts'
import { listQuery, versionOf } from './list-options.ts'
import type { KindDef } from './model.ts'
import { badRequest, methodNotAllowed, noSuchPath, notFound, versionTooLarge } from './refusals.ts'
import { lineOf, renderList, renderObject } from './rendering.ts'
import { scaleOf } from './scale.ts'
import type { ApiServer } from './server.ts'
import { tableOptions } from './table-options.ts'
import { openWatch } from './watch.ts'
import type { Target } from './write-requests.ts'

/** GET on anything that a path of a kind can mean. */
export const get = (server: ApiServer, target: Target, incoming: Incoming): Answer =>
  target.name === undefined ? getCollection(server, target, incoming) : getObject(server, target, incoming)

const getObject = (
  server: ApiServer,
  { def, namespace, name = '', subresource }: Target,
  incoming: Incoming,
): Answer => {
  const { store, clock } = server.core
  const version = versionOf(incoming.query.get('resourceVersion'))
  if (version !== undefined && version > store.version()) throw versionTooLarge(version, store.version())
  const stored = store.get(def, def.namespaced ? (namespace ?? '') : '', name)
  if (subresource === 'eviction') throw methodNotAllowed()
  if (subresource !== undefined && !isReadable(def, subresource)) {
    throw def.builtIn ? noSuchPath() : notFound(def, name)
  }
  if (!stored) throw notFound(def, name)
  const object = inVersionOf(def, stored)
  if (subresource === 'scale') return jsonAnswer(200, lineOf(scaleOf(def, object)))
  if (subresource === 'log') return textAnswer(logOf(server, incoming.query, namespace ?? '', object))
  const form = negotiate(incoming.accept)
  const body = renderObject(def, object, form, clock.now(), tableOptions(incoming.query))
  return jsonAnswer(200, body, { 'content-type': form.contentType })
}

const isReadable = (def: KindDef, subresource: string): boolean => {
  if (subresource === 'status') return def.status
  if (subresource === 'scale') return def.scale !== undefined
  return subresource === 'log' && def.group === '' && def.kind === 'Pod'
}

type Containers = Readonly<{ containers?: readonly { name: string }[]; initContainers?: readonly { name: string }[] }>

const logOf = (
  server: ApiServer,
  query: URLSearchParams,
  namespace: string,
  { metadata, spec }: Readonly<{ metadata: Readonly<{ name: string }>; [field: string]: unknown }>,
): string => {
  const { containers = [], initContainers = [] } = (spec ?? {}) as Containers
  const names = [...containers, ...initContainers].map(container => container.name)
  const asked = query.get('container') ?? ''
  if (asked === '' && containers.length > 1) {
    const choice = containers.map(({ name }) => name).join(' ')
    throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: [${choice}]`)
  }
  const container = asked || (names[0] ?? '')
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${metadata.name}`)
  const text = server.readLog(namespace, metadata.name, container)
  const tail = Number(query.get('tailLines') ?? Number.NaN)
  if (Number.isNaN(tail)) return text
  const lines = text.split(/(?<=\n)/)
  return tail <= 0 ? '' : lines.slice(-tail).join('')
}

const getCollection = (server: ApiServer, { def, namespace }: Target, incoming: Incoming): Answer => {
  const query = listQuery(def, incoming.query)
  const form = negotiate(incoming.accept)
  const table = tableOptions(incoming.query)
  const headers = { 'content-type': form.contentType }
  if (query.watch) {
    const watch = openWatch(server.core, { def, namespace, query, form, table })
    return { status: 200, headers, body: '', watch }
  }
  const { objects, metadata } = listObjects(server.core, def, namespace, query)
  return jsonAnswer(200, renderList(def, objects, form, server.core.clock.now(), metadata, table), headers)
}
