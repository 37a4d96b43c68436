// Rules for pods that say which system they are for.
import type { Causes } from './causes.ts'
import { isTree, type Tree, textAt, treeAt } from './tree.ts'

type Containers = readonly (readonly [at: string, container: Tree])[]

/** What Windows has not, in the order of the messages. */
const ofPods = [
  ...['appArmorProfile', 'seLinuxOptions', '../hostUsers', '../hostPID', '../hostIPC', 'seccompProfile', 'fsGroup'],
  ...['fsGroupChangePolicy', 'sysctls', '../shareProcessNamespace', 'runAsUser', 'runAsGroup', 'supplementalGroups'],
  ...['supplementalGroupsPolicy', 'seLinuxChangePolicy'],
]
const ofContainers = [
  ...['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'readOnlyRootFilesystem', 'privileged'],
  ...['allowPrivilegeEscalation', 'procMount', 'runAsUser', 'runAsGroup'],
]

function checkWindows(to: Causes, at: string, spec: Tree, of: Containers): void {
  const context = treeAt(spec, 'securityContext')
  const why = 'cannot be set for a windows pod'
  for (const name of ofPods) {
    const own = name.replace('../', '')
    const isOwn = own !== name
    const value = isOwn ? spec[own] : context[own]
    if (value === undefined || (value === false && (own === 'hostPID' || own === 'hostIPC'))) continue
    to.forbidden(isOwn ? `${at}.${own}` : `${at}.securityContext.${own}`, why)
  }
  for (const [here, container] of of) {
    const own = treeAt(container, 'securityContext')
    for (const name of ofContainers) if (own[name] !== undefined) to.forbidden(`${here}.securityContext.${name}`, why)
  }
}

function checkLinux(to: Causes, at: string, spec: Tree, of: Containers): void {
  for (const [here, holder] of [[at, spec] as const, ...of])
    if (isTree(treeAt(holder, 'securityContext')['windowsOptions']))
      to.forbidden(`${here}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod')
}

/** Checks the system of the pod whose spec is at `at`, and what goes with it. */
export function checkSystem(to: Causes, at: string, spec: Tree, of: Containers): void {
  const { os } = spec
  if (!isTree(os)) return
  const name = textAt(os, 'name')
  if (name === '') to.required(`${at}.os.name`)
  else if (name === 'linux') checkLinux(to, at, spec, of)
  else if (name === 'windows') checkWindows(to, at, spec, of)
  else to.unsupported(`${at}.os`, name, ['linux', 'windows'])
}

/** Checks containers of Windows that are processes of their host: all or none, and on the host's network. */
export function checkHostProcesses(to: Causes, at: string, spec: Tree, of: Containers): void {
  const optionOf = (holder: Tree) => treeAt(treeAt(holder, 'securityContext'), 'windowsOptions')['hostProcess']
  const own = optionOf(spec)
  let count = 0
  for (const [here, container] of of) {
    const option = optionOf(container)
    const field = `${here}.securityContext.windowsOptions.hostProcess`
    if (own !== undefined && option !== undefined && own !== option)
      to.invalid(field, option, `pod hostProcess value must be identical if both are specified, was ${own}`)
    if ((option ?? own) === true) count++
  }
  if (count === 0) return
  if (count !== of.length)
    to.invalid(at, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers')
  if (spec['hostNetwork'] !== true) {
    const why = 'hostNetwork must be true if pod contains any hostProcess containers'
    to.invalid(`${at}.hostNetwork`, false, why)
  }
  // argo: the library that it checks with was never told that this cluster allows privileged containers.
  if (to.dialect === '1.34') to.forbidden(at, 'hostProcess containers are disallowed by cluster policy')
}
