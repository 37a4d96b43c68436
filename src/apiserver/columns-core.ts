// The columns of the core group's other kinds, and of roles.

import { numberAt, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { ageText } from './age.ts'
import {
  ageColumn,
  column,
  containerImages,
  containerNames,
  createdColumn,
  labelsText,
  nameColumn,
  orNone,
  specOf,
  statusOf,
  wide,
} from './columns.ts'
import type { Column } from './model.ts'

const sizeOf = (object: Tree, ...keys: string[]): number =>
  keys.reduce((sum, key) => sum + Object.keys(treeAt(object, key)).length, 0)

export const namespaceColumns: readonly Column[] = [
  nameColumn,
  column('Status', object => textAt(statusOf(object), 'phase')),
  ageColumn,
]

export const configMapColumns: readonly Column[] = [
  nameColumn,
  column('Data', object => sizeOf(object, 'data', 'binaryData')),
  ageColumn,
]

export const secretColumns: readonly Column[] = [
  nameColumn,
  column('Type', object => textAt(object, 'type')),
  column('Data', object => sizeOf(object, 'data')),
  ageColumn,
]

export const plainColumns: readonly Column[] = [nameColumn, ageColumn]

export const podTemplateColumns: readonly Column[] = [
  nameColumn,
  column('Containers', object => containerNames(treeAt(object, 'template'))),
  column('Images', object => containerImages(treeAt(object, 'template'))),
  column('Pod Labels', object => labelsText(treeAt(treeAt(treeAt(object, 'template'), 'metadata'), 'labels'))),
]

const firstSeen = (event: Tree, now: number): string => ageText(event['firstTimestamp'] ?? event['eventTime'], now)

function lastSeen(event: Tree, now: number): string {
  if (event['series']) return ageText(treeAt(event, 'series')['lastObservedTime'], now)
  return event['lastTimestamp'] ? ageText(event['lastTimestamp'], now) : firstSeen(event, now)
}

function involved(event: Tree): string {
  const target = treeAt(event, 'involvedObject')
  const kind = textAt(target, 'kind').toLowerCase()
  const name = textAt(target, 'name')
  return name === '' ? kind : `${kind}/${name}`
}

function sourceText(event: Tree): string {
  const source = treeAt(event, 'source')
  const component = textAt(source, 'component') || textAt(event, 'reportingComponent')
  const instance = textAt(source, 'host') || textAt(event, 'reportingInstance')
  return instance === '' ? component : `${component}, ${instance}`
}

export const eventColumns: readonly Column[] = [
  column('Last Seen', lastSeen),
  column('Type', event => textAt(event, 'type')),
  column('Reason', event => textAt(event, 'reason')),
  column('Object', involved),
  wide('Subobject', event => textAt(treeAt(event, 'involvedObject'), 'fieldPath')),
  wide('Source', sourceText),
  column('Message', event => textAt(event, 'message').trim()),
  wide('First Seen', firstSeen),
  wide('Count', event =>
    event['series'] ? numberAt(treeAt(event, 'series'), 'count') : numberAt(event, 'count') || 1,
  ),
  { ...nameColumn, priority: 1 },
]

function nodeStatus(node: Tree): string {
  const ready = treesAt(statusOf(node), 'conditions').find(c => c['type'] === 'Ready')
  const word = !ready ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'
  return specOf(node)['unschedulable'] === true ? `${word},SchedulingDisabled` : word
}

function nodeRoles(node: Tree): string {
  const prefix = 'node-role.kubernetes.io/'
  const labels = Object.entries(treeAt(treeAt(node, 'metadata'), 'labels'))
  const named = labels.filter(([key]) => key.startsWith(prefix)).map(([key]) => key.slice(prefix.length))
  const other = labels.filter(([key]) => key === 'kubernetes.io/role').map(([, value]) => String(value))
  return orNone([...new Set([...named, ...other])].filter(Boolean).sort().join(','))
}

const info = (node: Tree, key: string): string => textAt(treeAt(statusOf(node), 'nodeInfo'), key)
const address = (node: Tree, type: string): string =>
  orNone(textAt(treesAt(statusOf(node), 'addresses').find(a => a['type'] === type) ?? {}, 'address'))

function kernel(node: Tree): string {
  const version = orNone(info(node, 'kernelVersion'), '<unknown>')
  const architecture = info(node, 'architecture')
  return architecture === '' ? version : `${version} (${architecture})`
}

export const nodeColumns: readonly Column[] = [
  nameColumn,
  column('Status', nodeStatus),
  column('Roles', nodeRoles),
  ageColumn,
  column('Version', node => info(node, 'kubeletVersion')),
  wide('Internal-IP', node => address(node, 'InternalIP')),
  wide('External-IP', node => address(node, 'ExternalIP')),
  wide('OS-Image', node => orNone(info(node, 'osImage'), '<unknown>')),
  wide('Kernel-Version', kernel),
  wide('Container-Runtime', node => orNone(info(node, 'containerRuntimeVersion'), '<unknown>')),
]

export const roleColumns: readonly Column[] = [nameColumn, createdColumn]

function subjects(binding: Tree, kind: string): string {
  return treesAt(binding, 'subjects')
    .filter(subject => subject['kind'] === kind)
    .map(s => (kind === 'ServiceAccount' ? `${textAt(s, 'namespace')}/${textAt(s, 'name')}` : textAt(s, 'name')))
    .join(', ')
}

export const bindingColumns: readonly Column[] = [
  nameColumn,
  column('Role', b => `${textAt(treeAt(b, 'roleRef'), 'kind')}/${textAt(treeAt(b, 'roleRef'), 'name')}`),
  ageColumn,
  wide('Users', binding => subjects(binding, 'User')),
  wide('Groups', binding => subjects(binding, 'Group')),
  wide('ServiceAccounts', binding => subjects(binding, 'ServiceAccount')),
]
