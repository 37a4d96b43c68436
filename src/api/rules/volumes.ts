// Rules for the volumes of a pod.
import type { Causes } from './causes.ts'
import { dnsLabelFaults } from './names.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

/** A path below something: not absolute, and never upwards. */
export function checkRelativePath(to: Causes, field: string, path: string): void {
  if (path.startsWith('/')) to.invalid(field, path, 'must be a relative path')
  if (path.split('/').includes('..')) to.invalid(field, path, "must not contain '..'")
}

function checkMode(to: Causes, field: string, mode: unknown): void {
  if (typeof mode === 'number' && (mode < 0 || mode > 0o777))
    to.invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}

function checkItems(to: Causes, at: string, source: Tree): void {
  checkMode(to, `${at}.defaultMode`, source['defaultMode'])
  for (const [i, item] of treesAt(source, 'items').entries()) {
    const here = `${at}.items[${i}]`
    const path = textAt(item, 'path')
    if (textAt(item, 'key') === '') to.required(`${here}.key`)
    if (path === '') to.required(`${here}.path`)
    checkRelativePath(to, `${here}.path`, path)
    if (path.startsWith('..') && !path.startsWith('../')) to.invalid(`${here}.path`, path, "must not start with '..'")
    checkMode(to, `${here}.mode`, item['mode'])
  }
}

function checkSource(to: Causes, at: string, volume: Tree): void {
  const { configMap, secret, hostPath } = volume
  if (isTree(configMap)) {
    if (textAt(configMap, 'name') === '') to.required(`${at}.configMap.name`)
    checkItems(to, `${at}.configMap`, configMap)
  }
  if (isTree(secret)) {
    if (textAt(secret, 'secretName') === '') to.required(`${at}.secret.secretName`)
    checkItems(to, `${at}.secret`, secret)
  }
  if (!isTree(hostPath)) return
  const path = textAt(hostPath, 'path')
  if (path === '') to.required(`${at}.hostPath.path`)
  else if (path.split('/').includes('..')) to.invalid(`${at}.hostPath.path`, path, "must not contain '..'")
  to.oneOf(`${at}.hostPath.type`, textAt(hostPath, 'type'), hostPathTypes)
}

/** Checks the volumes of the pod at `at`; the answer is the names that containers may mount: those without a fault. */
export function checkVolumes(to: Causes, at: string, spec: Tree): ReadonlySet<string> {
  const names = new Set<string>()
  const sound = new Set<string>()
  for (const [i, volume] of treesAt(spec, 'volumes').entries()) {
    const here = `${at}.volumes[${i}]`
    const name = textAt(volume, 'name')
    const before = to.list.length
    const sources = Object.keys(volume).filter(key => key !== 'name')
    // The first source is checked, further ones are one too many.
    const [first, ...extra] = sources.toSorted()
    if (first !== undefined) checkSource(to, here, { [first]: treeAt(volume, first) })
    for (const one of extra) to.forbidden(`${here}.${one}`, 'may not specify more than 1 volume type')
    if (name === '') to.required(`${here}.name`)
    else to.faults(`${here}.name`, name, dnsLabelFaults(name))
    if (names.has(name)) to.duplicate(`${here}.name`, name)
    names.add(name)
    // A volume with a fault does not count as one that containers may mount.
    if (to.list.length === before) sound.add(name)
  }
  return sound
}
