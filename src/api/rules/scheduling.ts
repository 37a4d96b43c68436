// Rules for where a pod may run: tolerations, affinity, spreading.
import type { Causes } from './causes.ts'
import { labelKeyFaults, labelValueFaults } from './names.ts'
import { checkSelector } from './selector.ts'
import { isTree, numberAt, type Tree, textAt, treeAt, treesAt } from './tree.ts'

const anyKey = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** Checks the tolerations of the pod at `at`. */
export function checkTolerations(to: Causes, at: string, spec: Tree): void {
  for (const [i, toleration] of treesAt(spec, 'tolerations').entries()) {
    const here = `${at}.tolerations[${i}]`
    const [key, operator, value, effect] = ['key', 'operator', 'value', 'effect'].map(name => textAt(toleration, name))
    if (key) to.faults(`${here}.key`, key, labelKeyFaults(key, to.dialect))
    else if (operator !== 'Exists') to.invalid(`${here}.operator`, operator, anyKey)
    if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute')
      to.invalid(`${here}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
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

function checkTerm(to: Causes, at: string, term: Tree): void {
  for (const name of ['labelSelector', 'namespaceSelector'])
    if (isTree(term[name])) checkSelector(to, `${at}.${name}`, term[name])
  const key = textAt(term, 'topologyKey')
  if (key === '') to.required(`${at}.topologyKey`, 'can not be empty')
  to.faults(`${at}.topologyKey`, key, labelKeyFaults(key, to.dialect))
}

function checkNodeRequirement(to: Causes, at: string, requirement: Tree): void {
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
  } else to.invalid(`${at}.operator`, operator, 'not a valid selector operator')
  to.faults(`${at}.key`, textAt(requirement, 'key'), labelKeyFaults(textAt(requirement, 'key'), to.dialect))
}

function checkNodeTerm(to: Causes, at: string, term: Tree): void {
  for (const [i, requirement] of treesAt(term, 'matchExpressions').entries())
    checkNodeRequirement(to, `${at}.matchExpressions[${i}]`, requirement)
}

function checkNodeAffinity(to: Causes, at: string, affinity: Tree): void {
  const hard = affinity[HARD]
  if (isTree(hard)) {
    const terms = treesAt(hard, 'nodeSelectorTerms')
    const here = `${at}.${HARD}.nodeSelectorTerms`
    if (terms.length === 0) to.required(here, 'must have at least one node selector term')
    for (const [i, term] of terms.entries()) checkNodeTerm(to, `${here}[${i}]`, term)
  }
  for (const [i, weighted] of treesAt(affinity, SOFT).entries()) {
    checkWeight(to, `${at}.${SOFT}[${i}].weight`, numberAt(weighted, 'weight'))
    checkNodeTerm(to, `${at}.${SOFT}[${i}].preference`, treeAt(weighted, 'preference'))
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
    const domains = constraint['minDomains']
    if (typeof domains === 'number' && domains <= 0)
      to.invalid(`${here}.minDomains`, domains, 'must be greater than zero')
    if (constraints.slice(i + 1).some(other => pairOf(other) === pairOf(constraint)))
      to.duplicate(`${here}.{topologyKey, whenUnsatisfiable}`, pairOf(constraint))
    if (isTree(constraint['labelSelector'])) checkSelector(to, `${here}.labelSelector`, constraint['labelSelector'])
  }
}
