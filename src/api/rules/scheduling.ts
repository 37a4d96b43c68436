// Rules for where a pod may run: tolerations, affinity, spreading.
import { asJson, type Causes } from './causes.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults, labelValueFaults } from './names.ts'
import { checkSelector } from './selector.ts'
import { isTree, listAt, numberAt, type Tree, textAt, treeAt, treesAt } from './tree.ts'

const anyKey = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** Checks the tolerations of the pod at `at`. */
export function checkTolerations(to: Causes, at: string, spec: Tree): void {
  for (const [i, toleration] of treesAt(spec, 'tolerations').entries()) {
    const here = `${at}.tolerations[${i}]`
    const [key, operator, value, effect] = ['key', 'operator', 'value', 'effect'].map(name => textAt(toleration, name))
    if (key) to.faults(`${here}.key`, key, labelKeyFaults(key, to.dialect))
    else if (operator !== 'Exists') to.invalid(`${here}.operator`, asJson(operator), anyKey)
    if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute')
      to.invalid(`${here}.effect`, asJson(effect), "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if (operator === 'Exists') {
      if (value) to.invalid(`${here}.operator`, value, "value must be empty when `operator` is 'Exists'")
    } else if (operator === 'Equal' || operator === '') {
      const faults = labelValueFaults(value ?? '')
      if (faults.length > 0) to.invalid(`${here}.operator`, value, faults.join(';'))
    } else to.oneOf(`${here}.operator`, operator, ['Equal', 'Exists'])
    if (effect) to.oneOf(`${here}.effect`, effect, effects)
  }
}

const HARD = 'requiredDuringSchedulingIgnoredDuringExecution'
const SOFT = 'preferredDuringSchedulingIgnoredDuringExecution'

function checkWeight(to: Causes, field: string, weight: number): void {
  if (weight < 1 || weight > 100) to.invalid(field, weight, 'must be in the range 1-100')
}

/** Checks keys whose values are taken from the pod; the answer is the keys. */
function checkLabelKeys(to: Causes, at: string, term: Tree, field: string): readonly string[] {
  const keys = listAt(term, field).map(String)
  if (keys.length > 0 && !isTree(term['labelSelector']))
    to.forbidden(`${at}.${field}`, 'must not be specified when labelSelector is not set')
  else for (const [i, key] of keys.entries()) to.faults(`${at}.${field}[${i}]`, key, labelKeyFaults(key, to.dialect))
  return keys
}

/** A key of the pod's must not be selected on twice; its path is not quite where it stands. */
function checkKeysTwice(to: Causes, at: string, keys: readonly string[], selector: unknown): void {
  if (!isTree(selector)) return
  const selected = new Set(Object.keys(treeAt(selector, 'matchLabels')))
  for (const expression of treesAt(selector, 'matchExpressions')) {
    const key = textAt(expression, 'key')
    const i = keys.lastIndexOf(key)
    if (i >= 0 && selected.has(key)) to.invalid(`${at}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector')
    selected.add(key)
  }
}

function checkTerm(to: Causes, at: string, term: Tree): void {
  for (const name of ['labelSelector', 'namespaceSelector'])
    if (isTree(term[name])) checkSelector(to, `${at}.${name}`, term[name])
  // The path of these is not quite the field's name.
  for (const name of listAt(term, 'namespaces')) to.faults(`${at}.namespace`, name, dnsLabelFaults(String(name)))
  const match = checkLabelKeys(to, at, term, 'matchLabelKeys')
  const mismatch = checkLabelKeys(to, at, term, 'mismatchLabelKeys')
  checkKeysTwice(to, at, match, term['labelSelector'])
  for (const [i, one] of match.entries())
    if (mismatch.includes(one))
      to.invalid(`${at}.matchLabelKeys[${i}]`, one, 'exists in both matchLabelKeys and mismatchLabelKeys')
  const key = textAt(term, 'topologyKey')
  if (key === '') to.required(`${at}.topologyKey`, 'can not be empty')
  to.faults(`${at}.topologyKey`, key, labelKeyFaults(key, to.dialect))
}

function checkNodeRequirement(to: Causes, at: string, requirement: Tree, isHard: boolean): void {
  const operator = textAt(requirement, 'operator')
  const values = Array.isArray(requirement['values']) ? requirement['values'] : []
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) to.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      to.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      to.required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")
  } else to.invalid(`${at}.operator`, asJson(operator), 'not a valid selector operator')
  to.faults(`${at}.key`, textAt(requirement, 'key'), labelKeyFaults(textAt(requirement, 'key'), to.dialect))
  if (!isHard) return
  for (const [i, value] of values.entries()) to.faults(`${at}.values[${i}]`, value, labelValueFaults(String(value)))
}

/** Fields of nodes: there is but one. */
function checkFieldRequirement(to: Causes, at: string, requirement: Tree): void {
  const [key, operator] = [textAt(requirement, 'key'), textAt(requirement, 'operator')]
  const values = listAt(requirement, 'values')
  if (operator !== 'In' && operator !== 'NotIn')
    to.invalid(`${at}.operator`, asJson(operator), 'not a valid selector operator')
  else if (values.length !== 1)
    to.required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector")
  if (key !== 'metadata.name') to.invalid(`${at}.key`, key, 'not a valid field selector key')
  else
    for (const [i, value] of values.entries()) to.faults(`${at}.values[${i}]`, value, dnsSubdomainFaults(String(value)))
}

function checkNodeTerm(to: Causes, at: string, term: Tree, isHard: boolean): void {
  for (const [i, requirement] of treesAt(term, 'matchExpressions').entries())
    checkNodeRequirement(to, `${at}.matchExpressions[${i}]`, requirement, isHard)
  for (const [i, requirement] of treesAt(term, 'matchFields').entries())
    checkFieldRequirement(to, `${at}.matchFields[${i}]`, requirement)
}

function checkNodeAffinity(to: Causes, at: string, affinity: Tree): void {
  const hard = affinity[HARD]
  if (isTree(hard)) {
    const terms = treesAt(hard, 'nodeSelectorTerms')
    const here = `${at}.${HARD}.nodeSelectorTerms`
    if (terms.length === 0) to.required(here, 'must have at least one node selector term')
    for (const [i, term] of terms.entries()) checkNodeTerm(to, `${here}[${i}]`, term, true)
  }
  for (const [i, weighted] of treesAt(affinity, SOFT).entries()) {
    checkWeight(to, `${at}.${SOFT}[${i}].weight`, numberAt(weighted, 'weight'))
    checkNodeTerm(to, `${at}.${SOFT}[${i}].preference`, treeAt(weighted, 'preference'), false)
  }
}

/** Checks the affinity of a pod. */
export function checkAffinity(to: Causes, at: string, affinity: Tree): void {
  checkNodeAffinity(to, `${at}.nodeAffinity`, treeAt(affinity, 'nodeAffinity'))
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const rules = treeAt(affinity, kind)
    for (const [i, term] of treesAt(rules, HARD).entries()) checkTerm(to, `${at}.${kind}.${HARD}[${i}]`, term)
    for (const [i, weighted] of treesAt(rules, SOFT).entries()) {
      const here = `${at}.${kind}.${SOFT}[${i}]`
      checkWeight(to, `${here}.weight`, numberAt(weighted, 'weight'))
      checkTerm(to, `${here}.podAffinityTerm`, treeAt(weighted, 'podAffinityTerm'))
    }
  }
}

/** Checks the topologySpreadConstraints of the pod at `at`. */
export function checkSpread(to: Causes, at: string, spec: Tree): void {
  const constraints = treesAt(spec, 'topologySpreadConstraints')
  const pairOf = (constraint: Tree) =>
    `{${textAt(constraint, 'topologyKey')}, ${textAt(constraint, 'whenUnsatisfiable')}}`
  for (const [i, constraint] of constraints.entries()) {
    const here = `${at}.topologySpreadConstraints[${i}]`
    const skew = numberAt(constraint, 'maxSkew')
    if (skew <= 0) to.invalid(`${here}.maxSkew`, skew, 'must be greater than zero')
    if (textAt(constraint, 'topologyKey') === '') to.required(`${here}.topologyKey`, 'can not be empty')
    to.oneOf(`${here}.whenUnsatisfiable`, constraint['whenUnsatisfiable'], ['DoNotSchedule', 'ScheduleAnyway'])
    if (constraints.slice(i + 1).some(other => pairOf(other) === pairOf(constraint)))
      to.duplicate(`${here}.{topologyKey, whenUnsatisfiable}`, pairOf(constraint))
    checkDomains(to, here, constraint)
    for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy'])
      if (constraint[name] !== undefined) to.oneOf(`${here}.${name}`, constraint[name], ['Honor', 'Ignore'])
    checkSpreadKeys(to, here, constraint)
    if (isTree(constraint['labelSelector'])) checkSelector(to, `${here}.labelSelector`, constraint['labelSelector'])
  }
}

function checkDomains(to: Causes, at: string, constraint: Tree): void {
  const domains = constraint['minDomains']
  if (typeof domains !== 'number') return
  if (domains <= 0) to.invalid(`${at}.minDomains`, domains, 'must be greater than zero')
  const when = textAt(constraint, 'whenUnsatisfiable')
  const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${when}`
  if (when !== 'DoNotSchedule') to.invalid(`${at}.minDomains`, domains, why)
}

function checkSpreadKeys(to: Causes, at: string, constraint: Tree): void {
  const keys = listAt(constraint, 'matchLabelKeys').map(String)
  const selector = constraint['labelSelector']
  if (keys.length > 0 && !isTree(selector))
    to.forbidden(`${at}.matchLabelKeys`, 'must not be specified when labelSelector is not set')
  const selected = isTree(selector)
    ? [
        ...Object.keys(treeAt(selector, 'matchLabels')),
        ...treesAt(selector, 'matchExpressions').map(e => textAt(e, 'key')),
      ]
    : []
  for (const [i, key] of keys.entries()) {
    to.faults(`${at}.matchLabelKeys[${i}]`, key, labelKeyFaults(key, to.dialect))
    if (selected.includes(key))
      to.invalid(`${at}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and labelSelector')
  }
}
