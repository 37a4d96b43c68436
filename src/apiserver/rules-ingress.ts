// Rules for Ingresses and IngressClasses.
import { type Causes, collectCauses } from '../api/rules/causes.ts'
import { isIP } from '../api/rules/ip.ts'
import { byPattern, dnsLabelFaults, dnsSubdomainFaults, portNameFaults } from '../api/rules/names.ts'
import { isTree, numberAt, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import type { Cause } from './model.ts'

const wildcard = '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const wildcardPattern = new RegExp(`^${wildcard}$`)
const wildcardFault = byPattern(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  wildcard,
  '*.example.com',
)

function hostFaults(host: string): string[] {
  if (host.includes('*')) return wildcardPattern.test(host) ? [] : [wildcardFault]
  return dnsSubdomainFaults(host)
}

function checkBackend(to: Causes, at: string, backend: Tree): void {
  const { service, resource } = backend
  if (isTree(service) && isTree(resource)) to.invalid(at, '', 'cannot set both resource and service backends')
  else if (isTree(resource)) return
  else if (isTree(service)) checkServiceBackend(to, at, service)
  else to.invalid(at, '', 'resource or service backend is required')
}

function checkServiceBackend(to: Causes, at: string, service: Tree): void {
  const name = textAt(service, 'name')
  const port = treeAt(service, 'port')
  const number = numberAt(port, 'number')
  const portName = textAt(port, 'name')
  if (name === '') to.required(`${at}.service.name`)
  else to.faults(`${at}.service.name`, name, dnsLabelFaults(name))
  if (portName !== '' && number !== 0) to.invalid(at, '', 'cannot set both port name & port number')
  else if (portName !== '') to.faults(`${at}.service.port.name`, portName, portNameFaults(portName))
  else if (number !== 0) to.between(`${at}.service.port.number`, number, 1, 65_535)
  else to.required(at, 'port name or number is required')
}

const forbidden = ['//', '/./', '/../', '%2f', '%2F']
const forbiddenEnds = ['/..', '/.']

function checkPath(to: Causes, at: string, path: Tree): void {
  const type = path['pathType']
  const text = textAt(path, 'path')
  const isFree = type === 'ImplementationSpecific'
  if (type === undefined || type === null) to.required(`${at}.pathType`, 'pathType must be specified')
  else to.oneOf(`${at}.pathType`, type, ['Exact', 'ImplementationSpecific', 'Prefix'])
  if (type === 'Exact' || type === 'Prefix') {
    if (!text.startsWith('/')) to.invalid(`${at}.path`, text, 'must be an absolute path')
    else {
      for (const bad of forbidden) if (text.includes(bad)) to.invalid(`${at}.path`, text, `must not contain '${bad}'`)
      for (const bad of forbiddenEnds)
        if (text.endsWith(bad)) to.invalid(`${at}.path`, text, `must not end with '${bad}'`)
    }
  } else if (isFree && text !== '' && !text.startsWith('/')) to.invalid(`${at}.path`, text, 'must be an absolute path')
  checkBackend(to, `${at}.backend`, treeAt(path, 'backend'))
}

function checkRule(to: Causes, at: string, rule: Tree): void {
  const host = textAt(rule, 'host')
  if (host !== '') {
    if (isIP(host)) to.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address')
    else to.faults(`${at}.host`, host, hostFaults(host))
  }
  const { http } = rule
  if (!isTree(http)) return
  const paths = treesAt(http, 'paths')
  if (paths.length === 0) to.required(`${at}.http.paths`)
  for (const [i, path] of paths.entries()) checkPath(to, `${at}.http.paths[${i}]`, path)
}

const oldClass = 'kubernetes.io/ingress.class'

/** What is wrong with an Ingress. */
export function ingressCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const spec = treeAt(object, 'spec')
  const rules = treesAt(spec, 'rules')
  const byAnnotation = treeAt(treeAt(object, 'metadata'), 'annotations')[oldClass]
  const className = spec['ingressClassName']
  if (rules.length === 0 && !isTree(spec['defaultBackend']))
    to.invalid('spec', null, 'either `defaultBackend` or `rules` must be specified')
  for (const [i, rule] of rules.entries()) checkRule(to, `spec.rules[${i}]`, rule)
  if (isTree(spec['defaultBackend'])) checkBackend(to, 'spec.defaultBackend', spec['defaultBackend'])
  for (const [i, tls] of treesAt(spec, 'tls').entries()) {
    const hosts = Array.isArray(tls['hosts']) ? tls['hosts'].map(String) : []
    for (const [k, host] of hosts.entries()) to.faults(`spec.tls[${i}].hosts[${k}]`, host, hostFaults(host))
  }
  if (typeof className === 'string') to.faults('spec.ingressClassName', className, dnsSubdomainFaults(className))
  // On updates both may stand side by side: controllers migrate that way.
  if (!old && byAnnotation !== undefined && className !== undefined && byAnnotation !== className)
    to.invalid(`annotations.${oldClass}`, byAnnotation, 'must match `ingressClassName` when both are specified')
  return to.list
}

/** What is wrong with an IngressClass. */
export function ingressClassCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const controller = textAt(treeAt(object, 'spec'), 'controller')
  const before = old ? textAt(treeAt(old, 'spec'), 'controller') : controller
  if (controller === '') to.required('spec.controller')
  else if (!/^[^/]+\/.+$/.test(controller))
    to.invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")')
  if (controller !== before) to.invalid('spec.controller', controller, 'field is immutable')
  return to.list
}
