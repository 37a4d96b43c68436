// Rules for the containers of a pod.
import type { Causes } from './causes.ts'
import { byPattern, dnsLabelFaults, dnsSubdomainFaults, portNameFaults } from './names.ts'
import { checkProbes } from './probe.ts'
import { checkResources } from './resources.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'
import { checkRelativePath } from './volumes.ts'

const protocols = ['SCTP', 'TCP', 'UDP']

/** Port names are measured in characters here, in bytes elsewhere. */
const nameFaults = (name: string): string[] =>
  portNameFaults(name).map(fault => fault.replace(/no more than 15 bytes$/, 'no more than 15 characters'))

function checkPorts(to: Causes, at: string, container: Tree, onHost: boolean): void {
  const names = new Set<string>()
  for (const [i, port] of treesAt(container, 'ports').entries()) {
    const here = `${at}.ports[${i}]`
    const name = textAt(port, 'name')
    if (name !== '') {
      const faults = nameFaults(name)
      to.faults(`${here}.name`, name, faults)
      if (faults.length === 0 && names.has(name)) to.duplicate(`${here}.name`, name)
      names.add(name)
    }
    if (!port['containerPort']) to.required(`${here}.containerPort`)
    else to.between(`${here}.containerPort`, port['containerPort'], 1, 65_535)
    if (port['hostPort']) {
      to.between(`${here}.hostPort`, port['hostPort'], 1, 65_535)
      if (onHost && port['hostPort'] !== port['containerPort'])
        to.invalid(`${here}.hostPort`, port['hostPort'], 'must match `containerPort` when `hostNetwork` is true')
    }
    to.oneOf(`${here}.protocol`, port['protocol'], protocols)
  }
}

const sources = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const

/** The fields of a Pod that its containers may be told. */
const fieldPaths = new Set([
  ...['name', 'namespace', 'uid', 'labels', 'annotations'].map(name => `metadata.${name}`),
  ...['nodeName', 'serviceAccountName', 'restartPolicy', 'schedulerName'].map(name => `spec.${name}`),
  ...['hostIP', 'hostIPs', 'podIP', 'podIPs', 'phase'].map(name => `status.${name}`),
])

function checkFieldPath(to: Causes, at: string, path: string): void {
  if (path === '') to.required(at)
  else if (!fieldPaths.has(path.replace(/\['[^']*'\]$/, '')))
    to.invalid(at, path, `error converting fieldPath: field label not supported: ${path}`)
}

const resourceFields = ['limits', 'requests'].flatMap(kind =>
  ['cpu', 'ephemeral-storage', 'memory'].map(name => `${kind}.${name}`),
)

function checkResourceField(to: Causes, at: string, resource: string): void {
  if (resource === '') to.required(at)
  else if (!/^(limits|requests)\.hugepages-/.test(resource)) to.oneOf(at, resource, resourceFields)
}

function checkSource(to: Causes, at: string, variable: Tree): void {
  const from = variable['valueFrom']
  if (!isTree(from)) return
  const given = sources.filter(name => isTree(from[name]))
  for (const name of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = from[name]
    if (!isTree(ref)) continue
    to.faults(`${at}.${name}.name`, textAt(ref, 'name'), dnsSubdomainFaults(textAt(ref, 'name')))
    if (textAt(ref, 'key') === '') to.required(`${at}.${name}.key`)
  }
  const resource = from['resourceFieldRef']
  if (isTree(resource)) checkResourceField(to, `${at}.resourceFieldRef.resource`, textAt(resource, 'resource'))
  const field = from['fieldRef']
  if (isTree(field)) checkFieldPath(to, `${at}.fieldRef.fieldPath`, textAt(field, 'fieldPath'))
  if (given.length === 0) {
    const names =
      to.dialect === '1.34'
        ? '`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'
        : '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    to.invalid(at, '', `must specify one of: ${names}`)
  } else if (textAt(variable, 'value') !== '') to.invalid(at, '', 'may not be specified when `value` is not empty')
  else if (given.length > 1) to.invalid(at, '', 'may not have more than one field specified at a time')
}

/** What older releases say of the name of an environment variable. */
function strictNameFaults(name: string): string[] {
  const sentence =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit"
  const format = '[-._a-zA-Z][-._a-zA-Z0-9]*'
  if (!new RegExp(`^${format}$`).test(name))
    return [byPattern(sentence, format, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1')]
  if (name === '.') return ["must not be '.'"]
  if (name === '..') return ["must not be '..'"]
  return name.startsWith('..') ? ["must not start with '..'"] : []
}

function checkEnvironment(to: Causes, at: string, container: Tree): void {
  for (const [i, variable] of treesAt(container, 'env').entries()) {
    const here = `${at}.env[${i}]`
    const name = textAt(variable, 'name')
    const sentence = "a valid environment variable name must consist only of printable ASCII characters other than '='"
    if (name === '') to.required(`${here}.name`)
    else if (to.dialect === '1.34') to.faults(`${here}.name`, name, strictNameFaults(name))
    else if (!/^[ -<>-~]+$/.test(name)) to.invalid(`${here}.name`, name, sentence)
    checkSource(to, `${here}.valueFrom`, variable)
  }
  for (const source of treesAt(container, 'envFrom'))
    if (!isTree(source['configMapRef']) && !isTree(source['secretRef']))
      to.invalid(`${at}.envFrom`, '', 'must specify one of: `configMapRef` or `secretRef`')
}

function checkMounts(to: Causes, at: string, container: Tree, volumes: ReadonlySet<string>): void {
  const paths = new Set<string>()
  for (const [i, mount] of treesAt(container, 'volumeMounts').entries()) {
    const here = `${at}.volumeMounts[${i}]`
    const name = textAt(mount, 'name')
    const path = textAt(mount, 'mountPath')
    if (name === '') to.required(`${here}.name`)
    if (!volumes.has(name)) to.notFound(`${here}.name`, name)
    if (path === '') to.required(`${here}.mountPath`)
    else if (paths.has(path)) to.invalid(`${here}.mountPath`, path, 'must be unique')
    paths.add(path)
    // argo and the API server alike: the path of this error lacks the index.
    checkRelativePath(to, `${at}.volumeMounts.subPath`, textAt(mount, 'subPath'))
    checkRelativePath(to, `${at}.volumeMounts.subPathExpr`, textAt(mount, 'subPathExpr'))
  }
}

function checkContainer(to: Causes, at: string, container: Tree, spec: Tree, volumes: ReadonlySet<string>): void {
  const image = textAt(container, 'image')
  if (image === '') to.required(`${at}.image`)
  else if (image !== image.trim() && to.dialect !== '1.34')
    to.invalid(`${at}.image`, image, 'must not have leading or trailing whitespace')
  checkPorts(to, at, container, spec['hostNetwork'] === true)
  checkEnvironment(to, at, container)
  checkMounts(to, at, container, volumes)
  checkProbes(to, at, container)
  to.oneOf(`${at}.terminationMessagePolicy`, container['terminationMessagePolicy'], ['File', 'FallbackToLogsOnError'])
  to.oneOf(`${at}.imagePullPolicy`, container['imagePullPolicy'], ['Always', 'IfNotPresent', 'Never'])
  const security = treeAt(container, 'securityContext')
  for (const name of ['runAsUser', 'runAsGroup'])
    if (security[name] !== undefined) to.between(`${at}.securityContext.${name}`, security[name], 0, 2_147_483_647)
  if (security['procMount'] !== undefined)
    to.oneOf(`${at}.securityContext.procMount`, security['procMount'], ['Default', 'Unmasked'])
  if (security['privileged'] === true && security['allowPrivilegeEscalation'] === false) {
    const why = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
    to.invalid(`${at}.securityContext`, security, why)
  }
  checkResources(to, `${at}.resources`, treeAt(container, 'resources'))
}

/** What containers that run before the others cannot have, unless they go on beside them. */
function checkInitial(to: Causes, at: string, container: Tree): void {
  const policy = container['restartPolicy']
  if (policy !== undefined) to.oneOf(`${at}.restartPolicy`, policy, ['Always'])
  if (policy === 'Always') return
  for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
    if (isTree(container[name]))
      to.forbidden(`${at}.${name}`, 'may not be set for init containers without restartPolicy=Always')
}

/** Checks the containers and init containers of a pod; `at` is the path of its spec. */
export function checkContainers(to: Causes, at: string, spec: Tree, volumes: ReadonlySet<string>): void {
  const names = new Set<string>()
  const containers = treesAt(spec, 'containers')
  if (containers.length === 0) to.required(`${at}.containers`)
  for (const list of ['containers', 'initContainers'] as const)
    for (const [i, container] of treesAt(spec, list).entries()) {
      const here = `${at}.${list}[${i}]`
      const name = textAt(container, 'name')
      if (name === '') to.required(`${here}.name`)
      else {
        to.faults(`${here}.name`, name, dnsLabelFaults(name))
        if (names.has(name)) to.duplicate(`${here}.name`, name)
        names.add(name)
      }
      checkContainer(to, here, container, spec, volumes)
      if (list === 'initContainers') checkInitial(to, here, container)
      else if (container['restartPolicy'] !== undefined && to.dialect === '1.34')
        to.forbidden(`${here}.restartPolicy`, 'may not be set for non-init containers')
    }
}
