// Rules for the containers of a pod.
import type { Causes } from './causes.ts'
import { checkEnvironment } from './env.ts'
import { checkDevices, checkMounts } from './mounts.ts'
import { dnsLabelFaults, portNameFaults } from './names.ts'
import { checkProbes } from './probe.ts'
import { checkResources } from './resources.ts'
import { checkContainerSecurity } from './security.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'
import type { Volumes } from './volumes.ts'

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
      if (faults.length === 0) names.add(name)
    }
    if (!port['containerPort']) to.required(`${here}.containerPort`)
    else to.between(`${here}.containerPort`, port['containerPort'], 1, 65_535)
    if (port['hostPort']) {
      to.between(`${here}.hostPort`, port['hostPort'], 1, 65_535)
      if (onHost && port['hostPort'] !== port['containerPort'])
        to.invalid(`${here}.hostPort`, port['hostPort'], 'must match `containerPort` when `hostNetwork` is true')
    }
    to.oneOfRequired(`${here}.protocol`, port['protocol'], protocols)
  }
}

/** Checks that no port of the host is taken twice; `of` are containers with their paths. */
function checkHostPorts(to: Causes, of: readonly (readonly [at: string, container: Tree])[]): void {
  const taken = new Set<string>()
  for (const [at, container] of of)
    for (const [i, port] of treesAt(container, 'ports').entries()) {
      if (!port['hostPort']) continue
      const text = `${textAt(port, 'protocol')}/${textAt(port, 'hostIP')}/${port['hostPort']}`
      if (taken.has(text)) to.duplicate(`${at}.ports[${i}].hostPort`, text)
      taken.add(text)
    }
}

/** What is known of the pod when its containers are checked. */
export type PodParts = Readonly<{ spec: Tree; volumes: Volumes; claims: readonly string[]; isPod: boolean }>

function checkResizePolicy(to: Causes, at: string, container: Tree, { spec }: PodParts): void {
  const taken = new Set<string>()
  for (const [i, policy] of treesAt(container, 'resizePolicy').entries()) {
    const [name, restart] = [textAt(policy, 'resourceName'), textAt(policy, 'restartPolicy')]
    if (taken.has(name)) to.duplicate(`${at}.resizePolicy[${i}]`, name)
    taken.add(name)
    // The path of these lacks the index.
    to.oneOfRequired(`${at}.resizePolicy`, name, ['cpu', 'memory'])
    to.oneOfRequired(`${at}.resizePolicy`, restart, ['NotRequired', 'RestartContainer'])
    if (spec['restartPolicy'] === 'Never' && restart !== 'NotRequired')
      to.invalid(`${at}.resizePolicy`, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'")
  }
}

/** What holds for containers of each kind. */
function checkAny(to: Causes, at: string, container: Tree, pod: PodParts): void {
  const name = textAt(container, 'name')
  if (name === '') to.required(`${at}.name`)
  else to.faults(`${at}.name`, name, dnsLabelFaults(name))
  const image = textAt(container, 'image')
  if (image === '') to.required(`${at}.image`)
  else if (pod.isPod) checkSpaces(to, at, image)
  const policies = ['File', 'FallbackToLogsOnError']
  to.oneOfRequired(`${at}.terminationMessagePolicy`, container['terminationMessagePolicy'], policies)
  checkPorts(to, at, container, pod.spec['hostNetwork'] === true)
  checkEnvironment(to, at, container)
  checkMounts(to, at, container, pod.volumes)
  checkDevices(to, at, container, pod.volumes)
  to.oneOfRequired(`${at}.imagePullPolicy`, container['imagePullPolicy'], ['Always', 'IfNotPresent', 'Never'])
  checkResources(to, `${at}.resources`, treeAt(container, 'resources'), pod.claims)
  checkResizePolicy(to, at, container, pod)
  const isApart = pod.spec['hostUsers'] === false
  checkContainerSecurity(to, `${at}.securityContext`, treeAt(container, 'securityContext'), isApart)
}

const checkSpaces = (to: Causes, at: string, image: string): void => {
  if (image !== image.trim()) to.invalid(`${at}.image`, image, 'must not have leading or trailing whitespace')
}

/** What containers that run before the others cannot have, unless they go on beside them. */
function checkInitial(to: Causes, at: string, container: Tree, spec: Tree): void {
  if (container['restartPolicy'] === 'Always') checkProbes(to, at, container, spec)
  else
    for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
      if (isTree(container[name]))
        to.forbidden(`${at}.${name}`, 'may not be set for init containers without restartPolicy=Always')
  const policy = treesAt(container, 'resizePolicy')
  if (policy.length === 0 || to.dialect !== '1.34') return
  const shown = policy.map(one => ({
    ResourceName: textAt(one, 'resourceName'),
    RestartPolicy: textAt(one, 'restartPolicy'),
  }))
  to.invalid(`${at}.resizePolicy`, shown, 'must not be set for init containers')
}

/** A policy of the container's own, with rules for exit codes in newer releases. */
function checkRestart(to: Causes, at: string, container: Tree, isInitial: boolean): void {
  const policy = container['restartPolicy']
  if (to.dialect === '1.34') {
    if (policy === undefined) return
    if (isInitial) to.oneOf(`${at}.restartPolicy`, policy, ['Always'])
    else to.forbidden(`${at}.restartPolicy`, 'may not be set for non-init containers')
    return
  }
  const rules = treesAt(container, 'restartPolicyRules')
  if (isInitial && policy === 'Always') {
    const why = 'restartPolicyRules are not allowed for init containers with restart policy Always'
    if (rules.length > 0) to.forbidden(`${at}.restartPolicyRules`, why)
    return
  }
  if (policy !== undefined) to.oneOf(`${at}.restartPolicy`, policy, ['Always', 'Never', 'OnFailure'])
  else if (rules.length > 0)
    to.required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used')
  if (isInitial && policy === undefined) return
  for (const [i, rule] of rules.entries()) {
    const here = `${at}.restartPolicyRules[${i}]`
    to.oneOf(`${here}.action`, rule['action'], ['Restart', 'RestartAllContainers'])
    if (!isTree(rule['exitCodes'])) to.required(`${here}.exitCodes`, 'must be specified')
    else to.oneOf(`${here}.exitCodes.operator`, rule['exitCodes']['operator'], ['In', 'NotIn'])
  }
}

/** Checks the containers and init containers of a pod; `at` is the path of its spec. */
export function checkContainers(to: Causes, at: string, pod: PodParts): void {
  const names = new Set<string>()
  const containers = treesAt(pod.spec, 'containers')
  if (containers.length === 0) to.required(`${at}.containers`)
  for (const [i, container] of containers.entries()) {
    const here = `${at}.containers[${i}]`
    checkAny(to, here, container, pod)
    const name = textAt(container, 'name')
    if (names.has(name)) to.duplicate(`${here}.name`, name)
    names.add(name)
    checkProbes(to, here, container, pod.spec)
    checkRestart(to, here, container, false)
  }
  checkHostPorts(
    to,
    containers.map((container, i) => [`${at}.containers[${i}]`, container]),
  )
  for (const [i, container] of treesAt(pod.spec, 'initContainers').entries()) {
    const here = `${at}.initContainers[${i}]`
    checkAny(to, here, container, pod)
    const name = textAt(container, 'name')
    checkRestart(to, here, container, true)
    if (names.has(name)) to.duplicate(`${here}.name`, name)
    if (name !== '') names.add(name)
    // The path of these is that of the first, whichever it is.
    checkHostPorts(to, [[`${at}.initContainers[0]`, container]])
    checkInitial(to, here, container, pod.spec)
  }
  checkEphemeral(to, at, pod, names)
}

/** What ephemeral containers cannot have, in the order of the fields' declaration. */
const forbidden = [
  ...['ports', 'resources', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'],
]

const isGiven = (value: unknown): boolean =>
  isTree(value) ? Object.keys(value).length > 0 : Array.isArray(value) ? value.length > 0 : value !== undefined

function checkEphemeral(to: Causes, at: string, pod: PodParts, others: ReadonlySet<string>): void {
  const names = new Set(others)
  for (const [i, container] of treesAt(pod.spec, 'ephemeralContainers').entries()) {
    const here = `${at}.ephemeralContainers[${i}]`
    checkAny(to, here, container, pod)
    checkSpaces(to, here, textAt(container, 'image'))
    const [name, target] = [textAt(container, 'name'), textAt(container, 'targetContainerName')]
    if (names.has(name)) to.duplicate(`${here}.name`, name)
    names.add(name)
    if (target !== '' && !others.has(target)) to.notFound(`${here}.targetContainerName`, target)
    const why = 'cannot be set for an Ephemeral Container'
    for (const field of forbidden) {
      // An absent probe is none, an empty one is.
      const value = container[field]
      if (field === 'resources' ? isGiven(value) : isTree(value) || isGiven(value))
        to.forbidden(`${here}.${field}`, why)
    }
    for (const [k, mount] of treesAt(container, 'volumeMounts').entries())
      for (const field of ['subPath', 'subPathExpr'])
        if (textAt(mount, field) !== '') to.forbidden(`${here}.volumeMounts[${k}].${field}`, why)
  }
}
