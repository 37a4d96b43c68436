// Rules for what a pod's containers may do: profiles, users, and what Windows has instead.
import { asJson, type Causes } from './causes.ts'
import { bytes, dnsSubdomainFaults } from './names.ts'
import { isTree, type Tree, textAt, treeAt } from './tree.ts'

const ID = 2_147_483_647
const profiles = ['Localhost', 'RuntimeDefault', 'Unconfined']

/** A path below something: not absolute, and never upwards. */
export function checkRelativePath(to: Causes, field: string, path: string): void {
  if (path.startsWith('/')) to.invalid(field, path, 'must be a relative path')
  if (path.split('/').includes('..')) to.invalid(field, path, "must not contain '..'")
}

/** Checks numbers of users and groups of the context at `at`. */
export function checkIds(to: Causes, at: string, context: Tree, names: readonly string[]): void {
  for (const name of names) if (context[name] !== undefined) to.between(`${at}.${name}`, context[name], 0, ID)
}

function checkSeccomp(to: Causes, at: string, profile: unknown): void {
  if (!isTree(profile)) return
  const type = textAt(profile, 'type')
  const path = profile['localhostProfile']
  if (type === '') to.required(`${at}.type`, 'type is required when seccompProfile is set')
  else to.oneOf(`${at}.type`, type, profiles)
  if (type === 'Localhost') {
    if (path === undefined) to.required(`${at}.localhostProfile`, 'must be set when seccomp type is Localhost')
    else checkRelativePath(to, `${at}.localhostProfile`, String(path))
  } else if (path !== undefined) {
    const shown = { Type: type, LocalhostProfile: path }
    to.invalid(`${at}.localhostProfile`, shown, 'can only be set when seccomp type is Localhost')
  }
}

function checkAppArmor(to: Causes, at: string, profile: unknown): void {
  if (!isTree(profile)) return
  const type = textAt(profile, 'type')
  const name = profile['localhostProfile']
  const here = `${at}.localhostProfile`
  if (type === '') to.required(`${at}.type`, 'type is required when appArmorProfile is set')
  else if (!profiles.includes(type)) to.unsupported(`${at}.type`, type, profiles)
  else if (type !== 'Localhost') {
    if (name !== undefined) to.invalid(here, asJson(name), 'can only be set when AppArmor type is Localhost')
  } else if (name === undefined) to.required(here, 'must be set when AppArmor type is Localhost')
  else {
    const given = String(name)
    if (given !== given.trim()) to.invalid(here, given, 'must not be padded with whitespace')
    else if (given === '') to.required(here, 'must be set when AppArmor type is Localhost')
    if (bytes(given) > 4095) to.tooLong(here, 4095)
  }
}

/** What is wrong with `DOMAIN\USER`; empty: nothing. */
function windowsUserFaults(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined
  const faults: string[] = []
  if (domain !== undefined) {
    if (bytes(domain) >= 256) faults.push("runAsUserName's Domain length must be under 256 characters")
    const isNetBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/.test(domain)
    const isDns = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/
    if (!isNetBios && !isDns.test(domain))
      faults.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  }
  if (user === '') faults.push("runAsUserName's User cannot be empty")
  else if (bytes(user) > 104) faults.push("runAsUserName's User length must not be longer than 104 characters")
  if (/^[. ]+$/.test(user)) faults.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    faults.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return faults
}

function checkWindowsOptions(to: Causes, at: string, options: unknown): void {
  if (!isTree(options)) return
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options
  if (name !== undefined) to.faults(`${at}.gmsaCredentialSpecName`, asJson(name), dnsSubdomainFaults(String(name)))
  if (spec === '') to.invalid(`${at}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string')
  else if (typeof spec === 'string' && bytes(spec) > 65_536)
    to.invalid(`${at}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec size must be under 64 KiB')
  if (user !== undefined) to.faults(`${at}.runAsUserName`, asJson(user), windowsUserFaults(String(user)))
}

/** What pods and containers have alike. */
export function checkProfiles(to: Causes, at: string, context: Tree): void {
  checkSeccomp(to, `${at}.seccompProfile`, context['seccompProfile'])
}

/** What pods and containers have alike, behind the parts of their own. */
export function checkPlatforms(to: Causes, at: string, context: Tree): void {
  checkWindowsOptions(to, `${at}.windowsOptions`, context['windowsOptions'])
  checkAppArmor(to, `${at}.appArmorProfile`, context['appArmorProfile'])
}

/** Types as Kubernetes has them inside: members in their order, with the type of those that have members. */
const INSIDE: Readonly<Record<string, string>> = {
  SecurityContext:
    'Capabilities:Capabilities Privileged SELinuxOptions:SELinux WindowsOptions:Windows RunAsUser RunAsGroup RunAsNonRoot ReadOnlyRootFilesystem AllowPrivilegeEscalation ProcMount SeccompProfile:Profile AppArmorProfile:Profile',
  Capabilities: 'Add Drop',
  SELinux: 'User= Role= Type= Level=',
  Windows: 'GMSACredentialSpecName GMSACredentialSpec RunAsUserName HostProcess',
  Profile: 'Type= LocalhostProfile',
}

/** An object as Kubernetes shows it from the inside: with all members, whatever is not there null or "". */
function inside(type: string, value: unknown): unknown {
  if (!isTree(value)) return null
  const members = Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]))
  return Object.fromEntries(
    (INSIDE[type] ?? '').split(' ').map(word => {
      const [, name = '', mark, of] = /^(\w+)([:=]?)(\w*)$/.exec(word) ?? []
      const item = members[name.toLowerCase()]
      return [name, mark === ':' ? inside(of ?? '', item) : (item ?? (mark === '=' ? '' : null))]
    }),
  )
}

/** Checks the securityContext of a container; `isApart`: its pod has users of its own. */
export function checkContainerSecurity(to: Causes, at: string, context: Tree, isApart: boolean): void {
  // argo: see unprivileged in rollout/validate/template.ts; ephemeral containers are not taken out of the way.
  if (context['privileged'] === true && to.dialect === '1.34')
    to.forbidden(`${at}.privileged`, 'disallowed by cluster policy')
  checkIds(to, at, context, ['runAsUser', 'runAsGroup'])
  const mount = context['procMount']
  if (mount !== undefined) {
    to.oneOf(`${at}.procMount`, mount, ['Default', 'Unmasked'])
    if (mount === 'Unmasked' && !isApart)
      to.invalid(`${at}.procMount`, mount, '`hostUsers` must be false to use `Unmasked`')
  }
  checkProfiles(to, at, context)
  if (context['allowPrivilegeEscalation'] === false) {
    const cannot = 'cannot set `allowPrivilegeEscalation` to false and'
    if (context['privileged'] === true)
      to.invalid(at, inside('SecurityContext', context), `${cannot} \`privileged\` to true`)
    const add = treeAt(context, 'capabilities')['add']
    for (const one of Array.isArray(add) ? add : [])
      if (one === 'CAP_SYS_ADMIN')
        to.invalid(at, inside('SecurityContext', context), `${cannot} \`capabilities.Add\` CAP_SYS_ADMIN`)
  }
  checkPlatforms(to, at, context)
}
