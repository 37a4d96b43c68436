// Rules for a pod's security context and its name resolution.
import { addressFaults } from './address.ts'
import type { Causes } from './causes.ts'
import { bytes, dnsSubdomainFaults, searchDomainFaults } from './names.ts'
import { checkIds, checkPlatforms, checkProfiles } from './security.ts'
import { isTree, listAt, type Tree, textAt, treeAt, treesAt } from './tree.ts'

const ID = 2_147_483_647
const sysctlFormat = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'

/** Checks a pod's securityContext. */
export function checkPodSecurity(to: Causes, at: string, context: Tree): void {
  checkIds(to, at, context, ['fsGroup', 'runAsUser', 'runAsGroup'])
  const groups = Array.isArray(context['supplementalGroups']) ? context['supplementalGroups'] : []
  for (const [i, group] of groups.entries()) to.between(`${at}.supplementalGroups[${i}]`, group, 0, ID)
  const names = new Set<string>()
  for (const [i, sysctl] of treesAt(context, 'sysctls').entries()) {
    const here = `${at}.sysctls[${i}].name`
    const name = textAt(sysctl, 'name')
    if (name === '') to.required(here)
    else if (name.length > 253 || !new RegExp(sysctlFormat).test(name))
      to.invalid(here, name, `must have at most 253 characters and match regex ${sysctlFormat}`)
    else if (names.has(name)) to.duplicate(here, name)
    names.add(name)
  }
  const choice = (name: string, supported: readonly string[]) => {
    if (context[name] !== undefined) to.oneOf(`${at}.${name}`, context[name], supported)
  }
  choice('fsGroupChangePolicy', ['Always', 'OnRootMismatch'])
  checkProfiles(to, at, context)
  checkPlatforms(to, at, context)
  choice('supplementalGroupsPolicy', ['Merge', 'Strict'])
  choice('seLinuxChangePolicy', ['MountOption', 'Recursive'])
}

/** Checks dnsConfig, which is needed where nothing else resolves names. */
export function checkDns(to: Causes, at: string, spec: Tree): void {
  const config = spec['dnsConfig']
  const servers = isTree(config) ? listAt(config, 'nameservers') : []
  if (spec['dnsPolicy'] === 'None' && servers.length === 0) {
    if (!isTree(config)) to.required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')
    else to.required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')
    return
  }
  if (!isTree(config)) return
  if (servers.length > 3) to.invalid(`${at}.nameservers`, servers, 'must not have more than 3 nameservers')
  for (const [i, server] of servers.entries())
    to.faults(`${at}.nameservers[${i}]`, server, addressFaults(String(server), to.dialect))
  checkSearches(to, `${at}.searches`, listAt(config, 'searches').map(String))
  for (const [i, option] of treesAt(treeAt(spec, 'dnsConfig'), 'options').entries())
    if (textAt(option, 'name') === '') to.required(`${at}.options[${i}]`, 'must not be empty')
}

function checkSearches(to: Causes, at: string, searches: readonly string[]): void {
  if (searches.length > 32) to.invalid(at, searches, 'must not have more than 32 search paths')
  if (bytes(searches.join(' ')) > 2048)
    to.invalid(at, searches, 'must not have more than 2048 characters (including spaces) in the search list')
  for (const [i, search] of searches.entries()) {
    // Newer releases let the root and underscores pass.
    const isStrict = to.dialect === '1.34'
    if (search === '.' && !isStrict) continue
    const name = search.replace(/\.$/, '')
    to.faults(`${at}[${i}]`, name, isStrict ? dnsSubdomainFaults(name) : searchDomainFaults(name))
  }
}
