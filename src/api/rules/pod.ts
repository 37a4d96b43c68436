// Rules for Pods and pod templates, and what may change of a Pod once it is there.
import { sameJson } from '../../contract.ts'
import { addressFaults } from './address.ts'
import { type Cause, type Causes, collectCauses } from './causes.ts'
import { checkContainers } from './container.ts'
import { checkVariableFiles } from './env.ts'
import { bytes, dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults } from './names.ts'
import { checkHostProcesses, checkSystem } from './platform.ts'
import { checkBothWays, checkPodAnnotations } from './pod-annotations.ts'
import { checkDns, checkPodSecurity } from './pod-parts.ts'
import { checkPodClaims, checkResources } from './resources.ts'
import { checkAffinity, checkSpread, checkTolerations } from './scheduling.ts'
import { checkAnnotations, checkLabels } from './selector.ts'
import { isTree, listAt, type Tree, textAt, treeAt, treesAt } from './tree.ts'
import { checkVolumes } from './volumes.ts'

/** The containers of a pod with their paths, in the order in which they start. */
const containersOf = (at: string, spec: Tree): (readonly [at: string, container: Tree])[] =>
  ['initContainers', 'containers', 'ephemeralContainers'].flatMap(list =>
    treesAt(spec, list).map((container, i) => [`${at}.${list}[${i}]`, container] as const),
  )

/** Checks a pod's spec; `at` is its path. `isPod`: it is not that of a template, which may have a little more. */
export function checkPodSpec(to: Causes, at: string, spec: Tree, isPod = false): void {
  const containers = containersOf(at, spec)
  const volumes = checkVolumes(to, at, spec)
  const claims = checkPodClaims(to, at, spec)
  checkContainers(to, at, { spec, volumes, claims, isPod })
  to.oneOf(`${at}.restartPolicy`, spec['restartPolicy'], ['Always', 'OnFailure', 'Never'])
  to.oneOf(`${at}.dnsPolicy`, spec['dnsPolicy'], ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'])
  checkLabels(to, `${at}.nodeSelector`, treeAt(spec, 'nodeSelector'))
  checkPodSecurity(to, `${at}.securityContext`, treeAt(spec, 'securityContext'))
  checkAffinity(to, `${at}.affinity`, treeAt(spec, 'affinity'))
  checkDns(to, `${at}.dnsConfig`, spec)
  checkGates(to, at, spec)
  checkSpread(to, at, spec)
  checkHostProcesses(to, at, spec, containers)
  checkNames(to, at, spec)
  checkTolerations(to, at, spec)
  checkAliases(to, at, spec)
  checkSubdomains(to, at, spec, ['priorityClassName'])
  const runtime = spec['runtimeClassName']
  if (runtime !== undefined) to.faults(`${at}.runtimeClassName`, runtime, dnsSubdomainFaults(String(runtime)))
  const policy = spec['preemptionPolicy']
  if (policy !== undefined) to.oneOfRequired(`${at}.preemptionPolicy`, policy, ['PreemptLowerPriority', 'Never'])
  if (isTree(spec['overhead'])) checkResources(to, `${at}.overhead`, { limits: spec['overhead'] }, [])
  checkSystem(to, at, spec, containers)
  checkVariableFiles(to, containers, spec)
}

function checkGates(to: Causes, at: string, spec: Tree): void {
  for (const [i, gate] of treesAt(spec, 'readinessGates').entries()) {
    const type = textAt(gate, 'conditionType')
    to.faults(`${at}.readinessGates[${i}].conditionType`, type, labelKeyFaults(type, to.dialect))
  }
  const names = new Set<string>()
  for (const [i, gate] of treesAt(spec, 'schedulingGates').entries()) {
    const name = textAt(gate, 'name')
    to.faults(`${at}.schedulingGates[${i}]`, name, labelKeyFaults(name, to.dialect))
    if (names.has(name)) to.duplicate(`${at}.schedulingGates[${i}]`, name)
    names.add(name)
  }
}

function checkSubdomains(to: Causes, at: string, spec: Tree, names: readonly string[]): void {
  for (const name of names) {
    const value = textAt(spec, name)
    if (value !== '') to.faults(`${at}.${name}`, value, dnsSubdomainFaults(value))
  }
}

/** The names of the pod itself, and how long it may run. */
function checkNames(to: Causes, at: string, spec: Tree): void {
  const override = spec['hostnameOverride']
  if (override !== undefined) {
    const here = `${at}.hostnameOverride`
    if (spec['setHostnameAsFQDN'] === true) to.forbidden(here, 'may not be specified when setHostnameAsFQDN is true')
    if (spec['hostNetwork'] === true) to.forbidden(here, 'may not be specified when hostNetwork is true')
    if (bytes(String(override)) > 64) to.tooLong(here, 64)
    to.faults(here, override, dnsSubdomainFaults(String(override)))
  }
  checkSubdomains(to, at, spec, ['serviceAccountName', 'nodeName'])
  const seconds = spec['activeDeadlineSeconds']
  if (seconds !== undefined) to.between(`${at}.activeDeadlineSeconds`, seconds, 1, 2_147_483_647)
  for (const name of ['hostname', 'subdomain']) {
    const value = textAt(spec, name)
    if (value !== '') to.faults(`${at}.${name}`, value, dnsLabelFaults(value))
  }
}

function checkAliases(to: Causes, at: string, spec: Tree): void {
  for (const [i, alias] of treesAt(spec, 'hostAliases').entries()) {
    const address = textAt(alias, 'ip')
    to.faults(`${at}.hostAliases[${i}].ip`, address, addressFaults(address, to.dialect))
    for (const [k, name] of listAt(alias, 'hostnames').entries())
      to.faults(`${at}.hostAliases[${i}].hostnames[${k}]`, name, dnsSubdomainFaults(String(name)))
  }
}

/** Checks the template of a workload or PodTemplate; `at` is its path. */
export function checkTemplate(to: Causes, at: string, template: Tree): void {
  const metadata = treeAt(template, 'metadata')
  const annotations = treeAt(metadata, 'annotations')
  const spec = treeAt(template, 'spec')
  const containers = containersOf(`${at}.spec`, spec)
  checkLabels(to, `${at}.labels`, treeAt(metadata, 'labels'))
  checkAnnotations(to, `${at}.annotations`, annotations)
  checkPodAnnotations(to, `${at}.annotations`, annotations, spec, containers)
  checkPodSpec(to, `${at}.spec`, spec)
  checkBothWays(to, `${at}.spec`, annotations, spec, containers)
  if (treesAt(spec, 'ephemeralContainers').length > 0)
    to.forbidden(`${at}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')
}

const changeable =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** A Pod's spec with the parts that may change made alike. */
function fixedPart(spec: Tree, like: Tree): Tree {
  const images = (list: string) => {
    const others = treesAt(like, list)
    return treesAt(spec, list).map((container, i) => ({ ...container, image: others[i]?.['image'] }))
  }
  const { activeDeadlineSeconds: _a, tolerations: _t, ...rest } = spec
  // A scheduler binds a Pod by giving it a node, once.
  if (textAt(like, 'nodeName') === '') rest['nodeName'] = undefined
  return { ...rest, containers: images('containers'), initContainers: images('initContainers') }
}

function checkChange(to: Causes, spec: Tree, old: Tree): void {
  const tolerations = treesAt(spec, 'tolerations')
  const withoutTime = ({ tolerationSeconds: _, ...rest }: Tree) => rest
  const isKept = (wanted: Tree) => tolerations.some(t => sameJson(withoutTime(t), withoutTime(wanted)))
  if (!treesAt(old, 'tolerations').every(isKept))
    to.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')
  if (!sameJson(fixedPart(spec, old), fixedPart(old, old)))
    to.forbidden('spec', `pod updates may not change fields other than ${changeable}\n`)
}

/** What is wrong with a Pod. */
export function podCauses(pod: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  checkPodSpec(to, 'spec', treeAt(pod, 'spec'), true)
  if (old && to.list.length === 0) checkChange(to, treeAt(pod, 'spec'), treeAt(old, 'spec'))
  return to.list
}
