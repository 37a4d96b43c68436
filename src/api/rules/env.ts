// Rules for what the environment of a container is made of.
import type { Causes } from './causes.ts'
import { configKeyFaults, dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults, variableNameFaults } from './names.ts'
import { canonicalText, parseQuantity } from './quantity.ts'
import { isTree, type Tree, textAt, treesAt } from './tree.ts'

const sources = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const

/** The fields of a Pod that can be named at all, wherever they are then of use. */
const known = new Set([
  ...['name', 'namespace', 'uid', 'labels', 'annotations'].map(name => `metadata.${name}`),
  ...['nodeName', 'serviceAccountName', 'restartPolicy', 'schedulerName', 'host'].map(name => `spec.${name}`),
  ...['hostIP', 'hostIPs', 'podIP', 'podIPs', 'phase'].map(name => `status.${name}`),
])

/** What variables can be told of a Pod, in the order of the message. */
const ofVariables = [
  ...['name', 'namespace', 'uid'].map(name => `metadata.${name}`),
  ...['nodeName', 'serviceAccountName'].map(name => `spec.${name}`),
  ...['hostIP', 'hostIPs', 'podIP', 'podIPs'].map(name => `status.${name}`),
]

/** What files can be told of a Pod. */
const ofFiles = ['annotations', 'labels', 'name', 'namespace', 'uid'].map(name => `metadata.${name}`)

/** Checks a fieldRef of a variable, or of a file in a volume. */
export function checkFieldRef(to: Causes, at: string, ref: Tree, isFile: boolean): void {
  const path = textAt(ref, 'fieldPath')
  const version = textAt(ref, 'apiVersion')
  const fault = (why: string) => to.invalid(`${at}.fieldPath`, path, `error converting fieldPath: ${why}`)
  if (version === '') to.required(`${at}.apiVersion`)
  else if (path === '') to.required(`${at}.fieldPath`)
  else if (version !== 'v1') fault(`unsupported pod version: ${version}`)
  else checkKnownPath(to, at, path, isFile, fault)
}

function checkKnownPath(to: Causes, at: string, path: string, isFile: boolean, fault: (why: string) => void): void {
  const [, member, key] = /^(.+?)\['(.*)'\]$/s.exec(path) ?? []
  if (member !== undefined && key !== undefined) {
    // The keys of annotations are looked up in lower case.
    if (member === 'metadata.annotations')
      to.faults(at, key.toLowerCase(), labelKeyFaults(key.toLowerCase(), to.dialect))
    else if (member === 'metadata.labels') to.faults(at, key, labelKeyFaults(key, to.dialect))
    else fault(`field label does not support subscript: ${path}`)
    return
  }
  if (!known.has(path)) fault(`field label not supported: ${path}`)
  else to.oneOf(`${at}.fieldPath`, path === 'spec.host' ? 'spec.nodeName' : path, isFile ? ofFiles : ofVariables)
}

const resources = ['limits', 'requests'].flatMap(kind =>
  ['cpu', 'ephemeral-storage', 'memory'].map(name => `${kind}.${name}`),
)

const units = ['1', ...['k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map(unit => `1${unit}`)]

function checkDivisor(to: Causes, at: string, resource: string, divisor: unknown): void {
  const nano = parseQuantity(String(divisor ?? ''))?.nano ?? 0n
  if (nano === 0n) return
  // What is finer than a thousandth would be rounded to one in its text.
  const given = nano % 1_000_000n === 0n ? canonicalText(divisor) : ''
  const [, kind] = /^(?:limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.*)$/s.exec(resource) ?? []
  if (kind === undefined) return
  if (kind === 'cpu') {
    if (given !== '1' && given !== '1m')
      to.invalid(`${at}.divisor`, resource, "only divisor's values 1m and 1 are supported with the cpu resource")
    return
  }
  const name = kind === 'memory' ? 'memory' : kind === 'ephemeral-storage' ? 'local ephemeral storage' : 'hugepages'
  if (!units.includes(given))
    to.invalid(
      `${at}.divisor`,
      resource,
      `only divisor's values ${units.join(', ')} are supported with the ${name} resource`,
    )
}

/** Checks a resourceFieldRef of a variable, or of a file in a volume, which must name its container. */
export function checkResourceFieldRef(to: Causes, at: string, ref: Tree, isFile: boolean): void {
  const resource = textAt(ref, 'resource')
  if (isFile && textAt(ref, 'containerName') === '') to.required(`${at}.containerName`)
  else if (resource === '') to.required(`${at}.resource`)
  else if (!/^(limits|requests)\.hugepages-/.test(resource)) to.oneOf(`${at}.resource`, resource, resources)
  checkDivisor(to, at, resource, ref['divisor'])
}

function checkFileKey(to: Causes, at: string, ref: Tree): void {
  const [key, volume, path] = [textAt(ref, 'key'), textAt(ref, 'volumeName'), textAt(ref, 'path')]
  if (key === '') to.required(`${at}.key`)
  else to.faults(`${at}.key`, key, variableNameFaults(key, '1.37'))
  if (volume === '') to.required(`${at}.volumeName`)
  else to.faults(`${at}.volumeName`, volume, dnsLabelFaults(volume))
  if (path === '') to.required(`${at}.path`)
  else if (path.split('/').includes('..')) to.invalid(`${at}.path`, path, "must not contain '..'")
}

function checkSource(to: Causes, at: string, variable: Tree): void {
  const from = variable['valueFrom']
  if (!isTree(from)) return
  const given = sources.filter(name => isTree(from[name]))
  for (const name of given) {
    const ref = from[name] as Tree
    if (name === 'fieldRef') checkFieldRef(to, `${at}.fieldRef`, ref, false)
    else if (name === 'resourceFieldRef') checkResourceFieldRef(to, `${at}.resourceFieldRef`, ref, false)
    else if (name === 'fileKeyRef') checkFileKey(to, `${at}.fileKeyRef`, ref)
    else {
      to.faults(`${at}.${name}.name`, textAt(ref, 'name'), dnsSubdomainFaults(textAt(ref, 'name')))
      if (textAt(ref, 'key') === '') to.required(`${at}.${name}.key`)
      else to.faults(`${at}.${name}.key`, textAt(ref, 'key'), configKeyFaults(textAt(ref, 'key')))
    }
  }
  if (given.length === 0) {
    const names =
      to.dialect === '1.34'
        ? '`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'
        : '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    to.invalid(at, '', `must specify one of: ${names}`)
  } else if (textAt(variable, 'value') !== '') to.invalid(at, '', 'may not be specified when `value` is not empty')
  else if (given.length > 1) to.invalid(at, '', 'may not have more than one field specified at a time')
}

function checkSets(to: Causes, at: string, container: Tree): void {
  for (const [i, set] of treesAt(container, 'envFrom').entries()) {
    const here = `${at}.envFrom[${i}]`
    const prefix = textAt(set, 'prefix')
    if (prefix !== '') to.faults(`${here}.prefix`, prefix, variableNameFaults(prefix, to.dialect))
    const given = ['configMapRef', 'secretRef'].filter(kind => isTree(set[kind]))
    for (const kind of given) {
      const name = textAt(set[kind] as Tree, 'name')
      if (name === '') to.required(`${here}.${kind}.name`)
      // A name may end in a hyphen here, as if something were to follow; the server drops the letter before it, too.
      else to.faults(`${here}.${kind}.name`, name, dnsSubdomainFaults(name.replace(/.-$/s, 'a')))
    }
    // The path of these two lacks the index.
    if (given.length === 0) to.invalid(`${at}.envFrom`, '', 'must specify one of: `configMapRef` or `secretRef`')
    else if (given.length > 1) to.invalid(`${at}.envFrom`, '', 'may not have more than one field specified at a time')
  }
}

/** Checks the variables of the container at `at`, and the sets that they come from. */
export function checkEnvironment(to: Causes, at: string, container: Tree): void {
  for (const [i, variable] of treesAt(container, 'env').entries()) {
    const here = `${at}.env[${i}]`
    const name = textAt(variable, 'name')
    if (name === '') to.required(`${here}.name`)
    else to.faults(`${here}.name`, name, variableNameFaults(name, to.dialect))
    checkSource(to, `${here}.valueFrom`, variable)
  }
  checkSets(to, at, container)
}

/** Checks that files which variables are read from are in a volume of the right kind. */
export function checkVariableFiles(
  to: Causes,
  containers: readonly (readonly [at: string, container: Tree])[],
  spec: Tree,
): void {
  const volumes = new Map(treesAt(spec, 'volumes').map(volume => [textAt(volume, 'name'), volume]))
  for (const [at, container] of containers)
    for (const [i, variable] of treesAt(container, 'env').entries()) {
      const from = variable['valueFrom']
      if (!isTree(from) || !isTree(from['fileKeyRef'])) continue
      const name = textAt(from['fileKeyRef'], 'volumeName')
      const here = `${at}.env[${i}].valueFrom.fileKeyRef.volumeName`
      const volume = volumes.get(name)
      if (!volume) to.notFound(here, name)
      else if (!isTree(volume['emptyDir'])) to.invalid(here, name, 'referenced volume must be of type emptyDir')
    }
}
