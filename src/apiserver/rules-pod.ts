// Rules for Pods and pod templates, and what may change of a Pod once it is there.
import { sameJson } from '../contract.ts'
import { type Causes, collectCauses } from './causes.ts'
import type { Cause } from './model.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults } from './name-rules.ts'
import { addressFaults } from './rules-address.ts'
import { checkContainers } from './rules-container.ts'
import { checkLabels, checkSelector } from './rules-selector.ts'
import { isTree, numberAt, type Tree, textAt, treeAt, treesAt } from './tree.ts'

function checkVolumes(to: Causes, at: string, spec: Tree): ReadonlySet<string> {
  const names = new Set<string>()
  const sound = new Set<string>()
  for (const [i, volume] of treesAt(spec, 'volumes').entries()) {
    const here = `${at}.volumes[${i}]`
    const name = textAt(volume, 'name')
    const before = to.list.length
    if (name === '') to.required(`${here}.name`)
    else to.faults(`${here}.name`, name, dnsLabelFaults(name))
    if (names.has(name)) to.duplicate(`${here}.name`, name)
    names.add(name)
    const sources = Object.keys(volume).filter(key => key !== 'name')
    for (const extra of sources.toSorted().slice(1))
      to.forbidden(`${here}.${extra}`, 'may not specify more than 1 volume type')
    if (isTree(volume['configMap']) && textAt(volume['configMap'], 'name') === '') to.required(`${here}.configMap.name`)
    if (isTree(volume['secret']) && textAt(volume['secret'], 'secretName') === '')
      to.required(`${here}.secret.secretName`)
    // A volume with a fault does not count as one that containers may mount.
    if (to.list.length === before) sound.add(name)
  }
  return sound
}

const anyKey = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'

function checkTolerations(to: Causes, at: string, spec: Tree): void {
  for (const [i, toleration] of treesAt(spec, 'tolerations').entries()) {
    const here = `${at}.tolerations[${i}]`
    const key = textAt(toleration, 'key')
    const operator = textAt(toleration, 'operator')
    if (key !== '') to.faults(`${here}.key`, key, labelKeyFaults(key))
    else if (operator !== 'Exists') to.invalid(`${here}.operator`, operator, anyKey)
    if (operator !== '') to.oneOf(`${here}.operator`, operator, ['Equal', 'Exists'])
  }
}

function checkTerm(to: Causes, at: string, term: Tree): void {
  const key = textAt(term, 'topologyKey')
  if (key === '') to.required(`${at}.topologyKey`, 'can not be empty')
  to.faults(`${at}.topologyKey`, key, labelKeyFaults(key))
  if (isTree(term['labelSelector'])) checkSelector(to, `${at}.labelSelector`, term['labelSelector'])
}

function checkAffinity(to: Causes, at: string, affinity: Tree): void {
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const rules = treeAt(affinity, kind)
    const hard = 'requiredDuringSchedulingIgnoredDuringExecution'
    const soft = 'preferredDuringSchedulingIgnoredDuringExecution'
    for (const [i, term] of treesAt(rules, hard).entries()) checkTerm(to, `${at}.${kind}.${hard}[${i}]`, term)
    for (const [i, weighted] of treesAt(rules, soft).entries()) {
      const weight = numberAt(weighted, 'weight')
      const here = `${at}.${kind}.${soft}[${i}]`
      if (weight < 1 || weight > 100) to.invalid(`${here}.weight`, weight, 'must be in the range 1-100')
      checkTerm(to, `${here}.podAffinityTerm`, treeAt(weighted, 'podAffinityTerm'))
    }
  }
}

function checkSpread(to: Causes, at: string, spec: Tree): void {
  for (const [i, constraint] of treesAt(spec, 'topologySpreadConstraints').entries()) {
    const here = `${at}.topologySpreadConstraints[${i}]`
    const skew = numberAt(constraint, 'maxSkew')
    if (skew <= 0) to.invalid(`${here}.maxSkew`, skew, 'must be greater than zero')
    if (textAt(constraint, 'topologyKey') === '') to.required(`${here}.topologyKey`, 'can not be empty')
    to.oneOf(`${here}.whenUnsatisfiable`, constraint['whenUnsatisfiable'], ['DoNotSchedule', 'ScheduleAnyway'])
  }
}

/** Checks a pod's spec; `at` is its path. */
export function checkPodSpec(to: Causes, at: string, spec: Tree): void {
  const volumes = checkVolumes(to, at, spec)
  checkContainers(to, at, spec, volumes)
  to.oneOf(`${at}.restartPolicy`, spec['restartPolicy'], ['Always', 'OnFailure', 'Never'])
  to.oneOf(`${at}.dnsPolicy`, spec['dnsPolicy'], ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'])
  checkLabels(to, `${at}.nodeSelector`, treeAt(spec, 'nodeSelector'))
  const user = treeAt(spec, 'securityContext')['runAsUser']
  if (user !== undefined) to.between(`${at}.securityContext.runAsUser`, user, 0, 2_147_483_647)
  checkAffinity(to, `${at}.affinity`, treeAt(spec, 'affinity'))
  checkSpread(to, at, spec)
  for (const [i, gate] of treesAt(spec, 'readinessGates').entries()) {
    const type = textAt(gate, 'conditionType')
    to.faults(`${at}.readinessGates[${i}].conditionType`, type, labelKeyFaults(type))
  }
  for (const name of ['serviceAccountName', 'nodeName']) {
    const value = textAt(spec, name)
    if (value !== '') to.faults(`${at}.${name}`, value, dnsSubdomainFaults(value))
  }
  const seconds = spec['activeDeadlineSeconds']
  if (seconds !== undefined) to.between(`${at}.activeDeadlineSeconds`, seconds, 1, 2_147_483_647)
  for (const name of ['hostname', 'subdomain']) {
    const value = textAt(spec, name)
    if (value !== '') to.faults(`${at}.${name}`, value, dnsLabelFaults(value))
  }
  checkTolerations(to, at, spec)
  for (const [i, alias] of treesAt(spec, 'hostAliases').entries())
    to.faults(`${at}.hostAliases[${i}].ip`, alias['ip'], addressFaults(textAt(alias, 'ip')))
}

/** Checks the template of a workload or PodTemplate; `at` is its path. */
export function checkTemplate(to: Causes, at: string, template: Tree): void {
  checkLabels(to, `${at}.labels`, treeAt(treeAt(template, 'metadata'), 'labels'))
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
