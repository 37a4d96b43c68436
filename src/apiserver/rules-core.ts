// Rules for ConfigMaps, Secrets, Events, Nodes, PodTemplates, Leases and roles.

import { type Causes, collectCauses } from '../api/rules/causes.ts'
import { isIP } from '../api/rules/ip.ts'
import { byPattern } from '../api/rules/names.ts'
import { checkTemplate } from '../api/rules/pod.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { sameJson } from '../contract.ts'
import type { Cause } from './model.ts'

function keyFaults(key: string): string[] {
  if (key.length > 253) return ['must be no more than 253 bytes']
  if (key === '.' || key === '..') return [`must not be '${key}'`]
  if (key.startsWith('..')) return ["must not start with '..'"]
  const sentence = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
  return /^[-._a-zA-Z0-9]+$/.test(key)
    ? []
    : [byPattern(sentence, '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name')]
}

function checkKeys(to: Causes, object: Tree, field: string): void {
  for (const key of Object.keys(treeAt(object, field))) to.faults(`${field}[${key}]`, key, keyFaults(key))
}

/** What is marked immutable stays as it is, the mark included. */
function checkImmutable(to: Causes, object: Tree, old: Tree | undefined, fields: readonly string[]): void {
  if (old?.['immutable'] !== true) return
  const why = 'field is immutable when `immutable` is set'
  if (object['immutable'] !== true) to.forbidden('immutable', why)
  for (const field of fields) if (!sameJson(treeAt(object, field), treeAt(old, field))) to.forbidden(field, why)
}

/** What is wrong with a ConfigMap. */
export function configMapCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  checkImmutable(to, object, old, ['data', 'binaryData'])
  const binary = treeAt(object, 'binaryData')
  for (const key of Object.keys(treeAt(object, 'data'))) {
    to.faults(`data[${key}]`, key, keyFaults(key))
    if (key in binary) to.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData')
  }
  checkKeys(to, object, 'binaryData')
  return to.list
}

/** The keys that Secrets of a type must have. */
const secretKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
}

/** What is wrong with a Secret. */
export function secretCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const type = textAt(object, 'type')
  if (old && old['type'] !== type) to.invalid('type', type, 'field is immutable')
  checkImmutable(to, object, old, ['data'])
  checkKeys(to, object, 'data')
  const data = treeAt(object, 'data')
  for (const key of secretKeys[type] ?? []) if (!(key in data)) to.required(`data[${key}]`)
  return to.list
}

/** What is wrong with an Event. */
export function eventCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  const space = textAt(treeAt(object, 'metadata'), 'namespace')
  const about = textAt(treeAt(object, 'involvedObject'), 'namespace')
  // Objects outside namespaces are spoken of in `default`.
  const isElsewhere = about === '' ? space !== 'default' : about !== space
  if (isElsewhere) to.invalid('involvedObject.namespace', about, 'does not match event.namespace')
  return to.list
}

/** What is wrong with a Node. */
export function nodeCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  const ranges = treeAt(object, 'spec')['podCIDRs']
  for (const [i, range] of (Array.isArray(ranges) ? ranges.map(String) : []).entries()) {
    const [address = '', bits = ''] = range.split('/')
    if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits))
      to.invalid(`spec.podCIDRs[${i}]`, range, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')
  }
  for (const [i, taint] of treesAt(treeAt(object, 'spec'), 'taints').entries())
    if (textAt(taint, 'effect') === '') to.required(`metadata.taints[${i}].effect`)
  return to.list
}

/** What is wrong with a PodTemplate. */
export function podTemplateCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  checkTemplate(to, 'template', treeAt(object, 'template'))
  return to.list
}

/** What is wrong with a Lease. */
export function leaseCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  const { leaseDurationSeconds: seconds, leaseTransitions } = treeAt(object, 'spec')
  if (typeof seconds === 'number' && seconds <= 0)
    to.invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0')
  to.notNegative('spec.leaseTransitions', leaseTransitions)
  return to.list
}

const filled = (value: unknown): boolean => Array.isArray(value) && value.length > 0

function checkRule(to: Causes, at: string, rule: Tree, isNamespaced: boolean): void {
  const urls = rule['nonResourceURLs']
  const isRegular = filled(rule['apiGroups']) || filled(rule['resources']) || filled(rule['resourceNames'])
  if (filled(urls)) {
    if (isNamespaced) to.invalid(`${at}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs')
    if (isRegular)
      to.invalid(`${at}.nonResourceURLs`, urls, 'rules cannot apply to both regular resources and non-resource URLs')
  } else {
    if (!filled(rule['apiGroups'])) to.required(`${at}.apiGroups`, 'resource rules must supply at least one api group')
    if (!filled(rule['resources'])) to.required(`${at}.resources`, 'resource rules must supply at least one resource')
  }
  if (!filled(rule['verbs'])) to.required(`${at}.verbs`)
}

/** What is wrong with a Role or ClusterRole. */
export function roleCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  const isNamespaced = object['kind'] === 'Role'
  for (const [i, rule] of treesAt(object, 'rules').entries()) checkRule(to, `rules[${i}]`, rule, isNamespaced)
  return to.list
}

/** What is wrong with a RoleBinding or ClusterRoleBinding. */
export function bindingCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const ref = treeAt(object, 'roleRef')
  const kinds = object['kind'] === 'RoleBinding' ? ['Role', 'ClusterRole'] : ['ClusterRole']
  to.oneOf('roleRef.kind', ref['kind'], kinds)
  if (textAt(ref, 'name') === '') to.required('roleRef.name')
  for (const [i, subject] of treesAt(object, 'subjects').entries()) {
    to.oneOf(`subjects[${i}].kind`, subject['kind'], ['ServiceAccount', 'User', 'Group'])
    if (textAt(subject, 'name') === '') to.required(`subjects[${i}].name`)
  }
  if (old && isTree(old['roleRef']) && !sameJson(ref, old['roleRef'])) {
    const shown = { APIGroup: ref['apiGroup'], Kind: ref['kind'], Name: ref['name'] }
    to.invalid('roleRef', shown, 'field is immutable')
  }
  return to.list
}
