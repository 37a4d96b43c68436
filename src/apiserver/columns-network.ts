// The columns of Services, Ingresses, endpoints, leases and definitions.

import { isTree, numberAt, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import {
  ageColumn,
  column,
  createdColumn,
  labelsText,
  nameColumn,
  orNone,
  some,
  specOf,
  statusOf,
  wide,
} from './columns.ts'
import type { Column } from './model.ts'

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

function balancer(object: Tree): string {
  const addresses = treesAt(treeAt(statusOf(object), 'loadBalancer'), 'ingress')
  const found = addresses.map(a => textAt(a, 'ip') || textAt(a, 'hostname')).filter(Boolean)
  return [...new Set(found)].sort().join(',')
}

function externalIP(service: Tree): string {
  const spec = specOf(service)
  if (spec['type'] === 'ExternalName') return textAt(spec, 'externalName')
  const own = texts(spec['externalIPs']).join(',')
  if (spec['type'] !== 'LoadBalancer') return orNone(own)
  return orNone([balancer(service), own].filter(Boolean).join(','), '<pending>')
}

const portText = (port: Tree): string => {
  const node = numberAt(port, 'nodePort')
  return `${numberAt(port, 'port')}${node > 0 ? `:${node}` : ''}/${textAt(port, 'protocol')}`
}

export const serviceColumns: readonly Column[] = [
  nameColumn,
  column('Type', service => textAt(specOf(service), 'type')),
  column('Cluster-IP', service =>
    orNone(texts(specOf(service)['clusterIPs'])[0] ?? textAt(specOf(service), 'clusterIP')),
  ),
  column('External-IP', externalIP),
  column('Port(s)', service => orNone(treesAt(specOf(service), 'ports').map(portText).join(','))),
  ageColumn,
  wide('Selector', service => labelsText(treeAt(specOf(service), 'selector'))),
]

const joined = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)

function endpointsText(object: Tree): string {
  const subsets = treesAt(object, 'subsets')
  if (subsets.length === 0) return '<none>'
  const all = subsets.flatMap(subset => {
    const ips = treesAt(subset, 'addresses').map(address => textAt(address, 'ip'))
    const ports = treesAt(subset, 'ports')
    return ports.length === 0 ? ips : ports.flatMap(port => ips.map(ip => joined(ip, numberAt(port, 'port'))))
  })
  return some(all, 3)
}

export const endpointsColumns: readonly Column[] = [nameColumn, column('Endpoints', endpointsText), ageColumn]

const slicePort = (port: Tree): string =>
  typeof port['port'] === 'number' ? String(port['port']) : typeof port['name'] === 'string' ? port['name'] : '*'

export const endpointSliceColumns: readonly Column[] = [
  nameColumn,
  column('AddressType', slice => textAt(slice, 'addressType')),
  column('Ports', slice => orNone(some(treesAt(slice, 'ports').map(slicePort), 3), '<unset>')),
  column('Endpoints', slice =>
    orNone(
      some(
        treesAt(slice, 'endpoints').flatMap(endpoint => texts(endpoint['addresses'])),
        3,
      ),
      '<unset>',
    ),
  ),
  ageColumn,
]

function hosts(ingress: Tree): string {
  const rules = treesAt(specOf(ingress), 'rules')
  const named = rules.map(rule => textAt(rule, 'host')).filter(Boolean)
  if (named.length === 0) return '*'
  return named.length > 3 ? some(named, 3, ',', rules.length) : named.join(',')
}

export const ingressColumns: readonly Column[] = [
  nameColumn,
  column('Class', ingress => {
    const name = specOf(ingress)['ingressClassName']
    return typeof name === 'string' ? name : '<none>'
  }),
  column('Hosts', hosts),
  column('Address', balancer),
  column('Ports', ingress => (treesAt(specOf(ingress), 'tls').length > 0 ? '80, 443' : '80')),
  ageColumn,
]

function parameters(ingressClass: Tree): string {
  const of = specOf(ingressClass)['parameters']
  if (!isTree(of)) return '<none>'
  const group = of['apiGroup']
  return `${textAt(of, 'kind')}${typeof group === 'string' ? `.${group}` : ''}/${textAt(of, 'name')}`
}

const defaultClass = 'ingressclass.kubernetes.io/is-default-class'

function className(ingressClass: Tree): string {
  const metadata = treeAt(ingressClass, 'metadata')
  const isDefault = treeAt(metadata, 'annotations')[defaultClass] === 'true'
  return `${textAt(metadata, 'name')}${isDefault ? ' (default)' : ''}`
}

export const ingressClassColumns: readonly Column[] = [
  column('Name', className, { format: 'name' }),
  column('Controller', object => textAt(specOf(object), 'controller')),
  column('Parameters', parameters),
  ageColumn,
]

export const leaseColumns: readonly Column[] = [
  nameColumn,
  column('Holder', lease => textAt(specOf(lease), 'holderIdentity')),
  ageColumn,
]

const names = (crd: Tree): Tree => treeAt(specOf(crd), 'names')

export const definitionColumns: readonly Column[] = [
  nameColumn,
  column('Scope', crd => textAt(specOf(crd), 'scope')),
  column('Versions', crd =>
    treesAt(specOf(crd), 'versions')
      .map(version => textAt(version, 'name'))
      .join(','),
  ),
  createdColumn,
  wide('Group', crd => textAt(specOf(crd), 'group')),
  wide('Kind', crd => textAt(names(crd), 'kind')),
  wide('ShortNames', crd => texts(names(crd)['shortNames']).join(',')),
  column(
    'Established',
    crd => treesAt(statusOf(crd), 'conditions').some(c => c['type'] === 'Established' && c['status'] === 'True'),
    { type: 'boolean', wide: true },
  ),
]
