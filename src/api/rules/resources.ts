// Rules for the requests and limits of containers, and for the devices that they claim.
import { asJson, type Causes } from './causes.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults } from './names.ts'
import { canonicalText, parseQuantity } from './quantity.ts'
import { type Tree, textAt, treeAt, treesAt } from './tree.ts'

/** What containers have a share of. */
const shared = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** Names without a domain that stand for something, if not for something a container can have. */
const standard = new Set([
  ...['', 'requests.', 'limits.'].flatMap(kind => [...shared].map(name => `${kind}${name}`)),
  ...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'storage', 'requests.storage', 'services.nodeports', 'services.loadbalancers'],
])

/** What is counted. */
const whole = new Set(
  [...standard].filter(name => /^(pods|[a-z]+s|services\.[a-z]+)$/.test(name) && !name.includes('storage')),
)

const nano = (amount: unknown): bigint => parseQuantity(String(amount))?.nano ?? 0n

const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')

const isPages = (name: string): boolean => name.startsWith('hugepages-')

/** Whether a name is that of something a vendor brings along. */
const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && labelKeyFaults(`requests.${name}`).length === 0

/** Whether more may be allowed than is asked for. */
const isElastic = (name: string): boolean => isNative(name) && !isPages(name)

function checkName(to: Causes, at: string, name: string): void {
  const shown = asJson(name)
  const faults = labelKeyFaults(name, to.dialect)
  to.faults(at, shown, faults)
  if (name.includes('/')) {
    if (!isNative(name) && !isExtended(name)) to.invalid(at, shown, "doesn't follow extended resource name standard")
    return
  }
  const isKnown = standard.has(name) || /^(requests\.)?hugepages-/.test(name)
  if (faults.length === 0 && !isKnown) to.invalid(at, shown, 'must be a standard resource type or fully qualified')
  if (!shared.has(name) && !isPages(name)) to.invalid(at, shown, 'must be a standard resource for containers')
}

function checkAmount(to: Causes, at: string, name: string, amount: unknown): void {
  if (nano(amount) < 0n) to.invalid(at, canonicalText(amount), 'must be greater than or equal to 0')
  if ((whole.has(name) || isExtended(name)) && nano(amount) % 1_000_000_000n !== 0n)
    to.invalid(at, canonicalText(amount), 'must be an integer')
}

/** Checks the amounts of a container's `resources`; `names` are the claims of its pod. */
export function checkResources(to: Causes, at: string, resources: Tree, names: readonly string[]): void {
  const limits = treeAt(resources, 'limits')
  const requests = treeAt(resources, 'requests')
  for (const [name, amount] of Object.entries(limits)) {
    checkName(to, `${at}.limits[${name}]`, name)
    checkAmount(to, `${at}.limits[${name}]`, name, amount)
  }
  for (const [name, amount] of Object.entries(requests)) {
    checkName(to, `${at}.requests[${name}]`, name)
    checkAmount(to, `${at}.requests[${name}]`, name, amount)
    const limit = limits[name]
    const [asked, allowed] = [canonicalText(amount), canonicalText(limit)]
    if (limit === undefined) {
      if (!isElastic(name)) to.required(`${at}.limits`, 'Limit must be set for non overcommitable resources')
    } else if (!isElastic(name) && nano(amount) !== nano(limit))
      to.invalid(`${at}.requests`, asked, `must be equal to ${name} limit of ${allowed}`)
    else if (nano(amount) > nano(limit))
      to.invalid(`${at}.requests`, asked, `must be less than or equal to ${name} limit of ${allowed}`)
  }
  const all = [...Object.keys(limits), ...Object.keys(requests)]
  if (all.some(isPages) && !all.includes('cpu') && !all.includes('memory'))
    to.forbidden(at, 'HugePages require cpu or memory')
  checkClaims(to, `${at}.claims`, resources, names)
}

function checkClaims(to: Causes, at: string, resources: Tree, names: readonly string[]): void {
  const taken = new Set<string>()
  for (const [i, claim] of treesAt(resources, 'claims').entries()) {
    const here = `${at}[${i}]`
    const name = textAt(claim, 'name')
    const request = textAt(claim, 'request')
    if (name === '') {
      to.required(here)
      continue
    }
    if (taken.has(name)) to.duplicate(here, name)
    else {
      if (request !== '') to.faults(`${here}.request`, request, dnsLabelFaults(request))
      const key = request === '' ? name : `${name}/${request}`
      if (taken.has(key)) to.duplicate(here, key)
      else if (request === '') for (const other of taken) if (other.startsWith(`${name}/`)) to.duplicate(here, name)
      taken.add(key)
    }
    if (names.includes(name)) continue
    const known = names.length === 0 ? ' which is empty' : `: ${names.toSorted().join(', ')}`
    to.notFound(here, name, `must be one of the names in pod.spec.resourceClaims${known}`)
  }
}

/** Checks the claims of a pod; the answer is their names. */
export function checkPodClaims(to: Causes, at: string, spec: Tree): readonly string[] {
  const names = new Set<string>()
  const claims = treesAt(spec, 'resourceClaims')
  for (const [i, claim] of claims.entries()) {
    const here = `${at}.resourceClaims[${i}]`
    const name = textAt(claim, 'name')
    if (name === '') to.required(`${here}.name`)
    else if (names.has(name)) to.duplicate(`${here}.name`, name)
    else to.faults(`${here}.name`, name, dnsLabelFaults(name))
    names.add(name)
    const [byName, byTemplate] = [claim['resourceClaimName'], claim['resourceClaimTemplateName']]
    const shown = { Name: name, ResourceClaimName: byName ?? null, ResourceClaimTemplateName: byTemplate ?? null }
    if (byName !== undefined && byTemplate !== undefined)
      to.invalid(here, shown, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified')
    if (byName === undefined && byTemplate === undefined)
      to.invalid(here, shown, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`')
    for (const [field, value] of [
      ['resourceClaimName', byName] as const,
      ['resourceClaimTemplateName', byTemplate] as const,
    ])
      if (value !== undefined) to.faults(`${here}.${field}`, value, dnsSubdomainFaults(String(value)))
  }
  return [...names].filter(name => name !== '')
}
