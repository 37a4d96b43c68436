// Rules for Pods and pod templates, and what may change of a Pod once it is there.
import { sameJson } from '../../contract.ts'
import { addressFaults } from './address.ts'
import { type Cause, type Causes, collectCauses } from './causes.ts'
import { checkContainers } from './container.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults } from './names.ts'
import { checkDns, checkPodSecurity } from './pod-parts.ts'
import { checkAffinity, checkSpread, checkTolerations } from './scheduling.ts'
import { checkAnnotations, checkLabels } from './selector.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'
import { checkVolumes } from './volumes.ts'

/** Checks a pod's spec; `at` is its path. */
export function checkPodSpec(to: Causes, at: string, spec: Tree): void {
  const volumes = checkVolumes(to, at, spec)
  checkContainers(to, at, spec, volumes)
  to.oneOf(`${at}.restartPolicy`, spec['restartPolicy'], ['Always', 'OnFailure', 'Never'])
  to.oneOf(`${at}.dnsPolicy`, spec['dnsPolicy'], ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'])
  checkLabels(to, `${at}.nodeSelector`, treeAt(spec, 'nodeSelector'))
  checkPodSecurity(to, `${at}.securityContext`, treeAt(spec, 'securityContext'))
  checkAffinity(to, `${at}.affinity`, treeAt(spec, 'affinity'))
  checkDns(to, `${at}.dnsConfig`, spec)
  for (const [i, gate] of treesAt(spec, 'readinessGates').entries()) {
    const type = textAt(gate, 'conditionType')
    to.faults(`${at}.readinessGates[${i}].conditionType`, type, labelKeyFaults(type, to.dialect))
  }
  checkSpread(to, at, spec)
  const subdomains = (...names: readonly string[]) => {
    for (const name of names) {
      const value = textAt(spec, name)
      if (value !== '') to.faults(`${at}.${name}`, value, dnsSubdomainFaults(value))
    }
  }
  subdomains('serviceAccountName', 'nodeName')
  const seconds = spec['activeDeadlineSeconds']
  if (seconds !== undefined) to.between(`${at}.activeDeadlineSeconds`, seconds, 1, 2_147_483_647)
  for (const name of ['hostname', 'subdomain']) {
    const value = textAt(spec, name)
    if (value !== '') to.faults(`${at}.${name}`, value, dnsLabelFaults(value))
  }
  checkTolerations(to, at, spec)
  for (const [i, alias] of treesAt(spec, 'hostAliases').entries()) {
    to.faults(`${at}.hostAliases[${i}].ip`, alias['ip'], addressFaults(textAt(alias, 'ip')))
    const hostnames = Array.isArray(alias['hostnames']) ? alias['hostnames'] : []
    for (const [k, name] of hostnames.entries())
      to.faults(`${at}.hostAliases[${i}].hostnames[${k}]`, name, dnsSubdomainFaults(String(name)))
  }
  subdomains('priorityClassName', 'runtimeClassName')
  const policy = spec['preemptionPolicy']
  if (policy !== undefined) to.oneOf(`${at}.preemptionPolicy`, policy, ['PreemptLowerPriority', 'Never'])
  checkSystem(to, `${at}.os`, spec['os'])
}

function checkSystem(to: Causes, at: string, os: unknown): void {
  if (!isTree(os)) return
  if (textAt(os, 'name') === '') to.required(`${at}.name`)
  else to.oneOf(at, os['name'], ['linux', 'windows'])
}

/** Checks the template of a workload or PodTemplate; `at` is its path. */
export function checkTemplate(to: Causes, at: string, template: Tree): void {
  const metadata = treeAt(template, 'metadata')
  checkLabels(to, `${at}.labels`, treeAt(metadata, 'labels'))
  checkAnnotations(to, `${at}.annotations`, treeAt(metadata, 'annotations'))
  checkPodSpec(to, `${at}.spec`, treeAt(template, 'spec'))
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
  checkPodSpec(to, 'spec', treeAt(pod, 'spec'))
  if (old && to.list.length === 0) checkChange(to, treeAt(pod, 'spec'), treeAt(old, 'spec'))
  return to.list
}
