// Rules for Services, and what may change of one.

import { addressFaults, endpointFaults } from '../api/rules/address.ts'
import { type Causes, collectCauses } from '../api/rules/causes.ts'
import { isIP } from '../api/rules/ip.ts'
import { dnsLabelFaults, dnsSubdomainFaults, portNameFaults } from '../api/rules/names.ts'
import { checkLabels } from '../api/rules/selector.ts'
import { numberAt, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { sameJson } from '../contract.ts'
import type { Cause } from './model.ts'

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']

/** A port as refusals show it: in the server's own words, without its name. */
const shown = (port: Tree): Tree => ({
  Name: '',
  Protocol: port['protocol'],
  AppProtocol: port['appProtocol'] ?? null,
  Port: port['port'],
  TargetPort: 0,
  NodePort: 0,
})

function checkPort(to: Causes, at: string, port: Tree, mustBeNamed: boolean, names: Set<string>): void {
  const name = textAt(port, 'name')
  if (name === '') {
    if (mustBeNamed) to.required(`${at}.name`)
  } else {
    to.faults(`${at}.name`, name, dnsLabelFaults(name))
    if (names.has(name)) to.duplicate(`${at}.name`, name)
    names.add(name)
  }
  to.between(`${at}.port`, port['port'], 1, 65_535)
  to.oneOf(`${at}.protocol`, port['protocol'], ['SCTP', 'TCP', 'UDP'])
  const target = port['targetPort']
  if (typeof target === 'string') to.faults(`${at}.targetPort`, target, portNameFaults(target))
  else to.between(`${at}.targetPort`, target, 1, 65_535)
}

function checkPorts(to: Causes, spec: Tree): void {
  const ports = treesAt(spec, 'ports')
  const isHeadless = spec['clusterIP'] === 'None'
  const type = textAt(spec, 'type')
  if (ports.length === 0 && !isHeadless && type !== 'ExternalName') to.required('spec.ports')
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) checkPort(to, `spec.ports[${i}]`, port, ports.length > 1, names)
  for (const [i, port] of ports.entries())
    if (numberAt(port, 'nodePort') !== 0 && type !== 'NodePort' && type !== 'LoadBalancer')
      to.forbidden(`spec.ports[${i}].nodePort`, `may not be used when \`type\` is '${type}'`)
  const seen = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const key = `${port['protocol']}/${port['port']}`
    if (seen.has(key)) to.duplicate(`spec.ports[${i}]`, shown(port))
    seen.add(key)
  }
}

function checkAddresses(to: Causes, spec: Tree): void {
  const type = textAt(spec, 'type')
  const own = texts(spec['clusterIPs'])
  const families = texts(spec['ipFamilies'])
  const isChanged = to.list.some(cause => cause.field === 'spec.clusterIPs[0]')
  if (spec['clusterIP'] !== undefined && own.length > 0 && own[0] !== spec['clusterIP'] && !isChanged)
    to.invalid('spec.clusterIPs', own, 'first value must match `clusterIP`')
  for (const [i, address] of own.entries()) {
    const family = isIP(address) === 6 ? 'IPv6' : 'IPv4'
    if (isIP(address) !== 0 && families[i] !== undefined && families[i] !== family)
      to.invalid(
        `spec.clusterIPs[${i}]`,
        address,
        `expected an ${families[i]} value as indicated by \`ipFamilies[${i}]\``,
      )
    if (address === 'None' && type !== 'ClusterIP')
      to.invalid(`spec.clusterIPs[${i}]`, address, `may not be set to 'None' for ${type} services`)
    else if (address !== 'None' && address !== '') to.faults(`spec.clusterIPs[${i}]`, address, addressFaults(address))
  }
  for (const [i, address] of texts(spec['externalIPs']).entries()) {
    const faults = addressFaults(address)
    to.faults(`spec.externalIPs[${i}]`, address, faults.length > 0 ? faults : endpointFaults(address))
  }
  for (const [i, family] of families.entries()) to.oneOf(`spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6'])
}

function checkPolicies(to: Causes, spec: Tree): void {
  const type = textAt(spec, 'type')
  const isPublic = type === 'NodePort' || type === 'LoadBalancer' || texts(spec['externalIPs']).length > 0
  const policy = spec['externalTrafficPolicy']
  if (policy !== undefined && !isPublic)
    to.invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services')
  else if (policy !== undefined) to.oneOf('spec.externalTrafficPolicy', policy, ['Cluster', 'Local'])
  const inner = spec['internalTrafficPolicy']
  if (inner !== undefined) to.oneOf('spec.internalTrafficPolicy', inner, ['Cluster', 'Local'])
}

function checkChange(to: Causes, spec: Tree, old: Tree): void {
  const isLeft = spec['type'] === 'ExternalName' || old['type'] === 'ExternalName'
  const before = texts(old['clusterIPs'])
  const isSame = spec['clusterIP'] === undefined || spec['clusterIP'] === old['clusterIP']
  if (isLeft || before.length === 0 || isSame) return
  // Who changes the single address means the first of the list as well.
  const isFollowing = sameJson(spec['clusterIPs'], old['clusterIPs'])
  const now = isFollowing ? [spec['clusterIP'], ...before.slice(1)] : texts(spec['clusterIPs'])
  to.invalid('spec.clusterIPs[0]', now, 'may not change once set')
}

/** What is wrong with a Service. */
export function serviceCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const spec = treeAt(object, 'spec')
  const before = treeAt(old ?? {}, 'spec')
  if (old) checkChange(to, spec, before)
  checkPorts(to, spec)
  to.oneOf('spec.type', spec['type'], types)
  to.oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None'])
  checkLabels(to, 'spec.selector', treeAt(spec, 'selector'))
  if (spec['type'] === 'ExternalName') {
    const name = textAt(spec, 'externalName').replace(/\.$/, '')
    if (name === '') to.required('spec.externalName')
    else to.faults('spec.externalName', name, dnsSubdomainFaults(name))
  }
  checkAddresses(to, spec)
  const wanted = textAt(spec, 'clusterIP')
  if (!old && isIP(wanted) === 4 && !wanted.startsWith('10.96.')) {
    const range = 'is not in the valid range. The range of valid IPs is 10.96.0.0/16'
    const why = `failed to allocate IP ${wanted}: the provided IP (${wanted}) ${range}`
    to.invalid('spec.clusterIPs', spec['clusterIPs'], why)
  }
  checkPolicies(to, spec)
  return to.list
}
