// Rules for Endpoints and EndpointSlices: nobody may send a Service's traffic to loopback addresses.

import { addressFaults, endpointFaults } from '../api/rules/address.ts'
import { type Causes, collectCauses } from '../api/rules/causes.ts'
import { isIP } from '../api/rules/ip.ts'
import { dnsLabelFaults, dnsSubdomainFaults } from '../api/rules/names.ts'
import { type Tree, textAt, treesAt } from '../api/rules/tree.ts'
import type { Cause } from './model.ts'

const families: Readonly<Record<string, 4 | 6>> = { IPv4: 4, IPv6: 6 }
const protocols = ['SCTP', 'TCP', 'UDP']

function checkAddress(to: Causes, at: string, address: string, type: string): void {
  if (type === 'FQDN') {
    to.faults(at, address, dnsSubdomainFaults(address))
    return
  }
  const faults = addressFaults(address)
  if (faults.length === 0 && isIP(address) !== families[type])
    to.invalid(at.replace(/\[\d+\]$/, ''), address, `must be an ${type} address`)
  to.faults(at, address, faults.length > 0 ? faults : endpointFaults(address))
}

function checkEndpoint(to: Causes, at: string, endpoint: Tree, type: string): void {
  const addresses = Array.isArray(endpoint['addresses']) ? endpoint['addresses'].map(String) : []
  if (addresses.length === 0) to.required(`${at}.addresses`)
  if (addresses.length > 100) to.tooMany(`${at}.addresses`, addresses.length, 100)
  for (const [i, address] of addresses.entries()) checkAddress(to, `${at}.addresses[${i}]`, address, type)
  const hostname = textAt(endpoint, 'hostname')
  if (hostname !== '') to.faults(`${at}.hostname`, hostname, dnsLabelFaults(hostname))
}

function checkSlicePorts(to: Causes, ports: readonly Tree[]): void {
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const name = textAt(port, 'name')
    if (name !== '') to.faults(`ports[${i}].name`, name, dnsLabelFaults(name))
    if (names.has(name)) to.duplicate(`ports[${i}].name`, name)
    names.add(name)
    to.oneOf(`ports[${i}].protocol`, port['protocol'], protocols)
  }
}

/** What is wrong with an EndpointSlice. */
export function endpointSliceCauses(slice: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const type = textAt(slice, 'addressType')
  const endpoints = treesAt(slice, 'endpoints')
  if (type === '') to.required('addressType')
  else to.oneOf('addressType', type, ['FQDN', 'IPv4', 'IPv6'])
  if (old && old['addressType'] !== type) to.invalid('addressType', null, 'field is immutable')
  if (endpoints.length > 1000) to.tooMany('endpoints', endpoints.length, 1000)
  else if (type in families || type === 'FQDN')
    for (const [i, endpoint] of endpoints.entries()) checkEndpoint(to, `endpoints[${i}]`, endpoint, type)
  checkSlicePorts(to, treesAt(slice, 'ports'))
  return to.list
}

function checkSubset(to: Causes, at: string, subset: Tree): void {
  const lists = ['addresses', 'notReadyAddresses'] as const
  if (lists.every(list => treesAt(subset, list).length === 0))
    to.required(at, 'must specify `addresses` or `notReadyAddresses`')
  for (const list of lists)
    for (const [i, { ip }] of treesAt(subset, list).entries()) {
      const faults = addressFaults(String(ip))
      to.faults(`${at}.${list}[${i}].ip`, ip, faults)
      to.faults(
        `${at}.${list}[${i}].ip`,
        ip,
        faults.length > 0 ? ['must be a valid IP address'] : endpointFaults(String(ip)),
      )
    }
  const ports = treesAt(subset, 'ports')
  for (const [i, port] of ports.entries()) {
    const name = textAt(port, 'name')
    if (name !== '') to.faults(`${at}.ports[${i}].name`, name, dnsLabelFaults(name))
    else if (ports.length > 1) to.required(`${at}.ports[${i}].name`)
    to.between(`${at}.ports[${i}].port`, port['port'], 1, 65_535)
    to.oneOf(`${at}.ports[${i}].protocol`, port['protocol'], protocols)
  }
}

/** What is wrong with an Endpoints object. */
export function endpointsCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  for (const [i, subset] of treesAt(object, 'subsets').entries()) checkSubset(to, `subsets[${i}]`, subset)
  return to.list
}
