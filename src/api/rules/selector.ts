// Rules for LabelSelectors, label maps and amounts such as 25%, wherever they stand.
import { asJson, type Causes } from './causes.ts'
import { byPattern, labelKeyFaults, labelValueFaults } from './names.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'

/** Checks the keys and values of a map of labels. */
export function checkLabels(to: Causes, field: string, labels: Tree): void {
  for (const [key, value] of Object.entries(labels)) {
    to.faults(field, key, labelKeyFaults(key, to.dialect))
    to.faults(field, value, labelValueFaults(String(value)))
  }
}

/** Checks the keys of a map of annotations; their case does not matter. */
export function checkAnnotations(to: Causes, field: string, annotations: Tree): void {
  for (const key of Object.keys(annotations)) to.faults(field, key, labelKeyFaults(key.toLowerCase(), to.dialect))
}

/** Checks a LabelSelector. */
export function checkSelector(to: Causes, field: string, selector: Tree): void {
  checkLabels(to, `${field}.matchLabels`, treeAt(selector, 'matchLabels'))
  for (const [i, expression] of treesAt(selector, 'matchExpressions').entries()) {
    const at = `${field}.matchExpressions[${i}]`
    const operator = textAt(expression, 'operator')
    const values = Array.isArray(expression['values']) ? expression['values'] : []
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) to.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        to.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    } else to.invalid(`${at}.operator`, asJson(operator), 'not a valid selector operator')
    to.faults(`${at}.key`, textAt(expression, 'key'), labelKeyFaults(textAt(expression, 'key')))
    for (const [k, value] of values.entries()) to.faults(`${at}.values[${k}]`, value, labelValueFaults(String(value)))
  }
}

/** Whether a selector that is valid matches labels; a faulty one matches nothing. */
export function selects(selector: Tree, labels: Tree): boolean {
  const exact = Object.entries(treeAt(selector, 'matchLabels')).every(([key, value]) => labels[key] === value)
  return (
    exact &&
    treesAt(selector, 'matchExpressions').every(expression => {
      const value = labels[textAt(expression, 'key')]
      const values = Array.isArray(expression['values']) ? expression['values'] : []
      switch (expression['operator']) {
        case 'In':
          return value !== undefined && values.includes(value)
        case 'NotIn':
          return value === undefined || !values.includes(value)
        case 'Exists':
          return value !== undefined
        default:
          return expression['operator'] === 'DoesNotExist' && value === undefined
      }
    })
  )
}

/** The selector of a workload: there, not empty, valid, and matching the labels of its template. */
export function checkWorkloadSelector(to: Causes, spec: Tree): void {
  const { selector } = spec
  const before = to.list.length
  if (!isTree(selector)) to.required('spec.selector')
  else {
    checkSelector(to, 'spec.selector', selector)
    if (isEmptySelector(selector)) to.invalid('spec.selector', {}, 'empty selector is invalid for deployment')
    if (to.list.length > before && !isEmptySelector(selector))
      to.invalid('spec.selector', selector, 'invalid label selector')
  }
  if (isTree(selector) && (to.list.length > before || isEmptySelector(selector))) return
  checkTemplateLabels(to, spec)
}

/** The labels of a template must be among those that its workload selects. */
export function checkTemplateLabels(to: Causes, spec: Tree): void {
  const labels = treeAt(treeAt(spec, 'template'), 'metadata')['labels']
  const isMatched = isTree(spec['selector']) && selects(spec['selector'], isTree(labels) ? labels : {})
  if (!isMatched) to.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')
}

const isEmptySelector = (selector: Tree): boolean =>
  Object.keys(treeAt(selector, 'matchLabels')).length === 0 && treesAt(selector, 'matchExpressions').length === 0

const notPercent = byPattern(
  "a valid percent string must be a numeric string followed by an ending '%'",
  '[0-9]+%',
  '1%',
  '93%',
)

/** Checks a number or percentage of Pods: not negative, a percentage in its form and, with `whole`, at most 100. */
export function checkAmount(to: Causes, field: string, value: unknown, whole = false): void {
  if (value === undefined) return
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value) : undefined
  if (percent === undefined) to.notNegative(field, value)
  else if (percent === null) to.invalid(field, value, notPercent)
  else if (whole && Number(percent[1]) > 100) to.invalid(field, value, 'must not be greater than 100%')
}
