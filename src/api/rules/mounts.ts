// Rules for the volumes that containers mount or have as devices.
import type { Causes } from './causes.ts'
import { checkRelativePath } from './security.ts'
import { type Tree, textAt, treeAt, treesAt } from './tree.ts'
import type { Volumes } from './volumes.ts'

const propagations = ['Bidirectional', 'HostToContainer', 'None']

function checkReadOnly(to: Causes, at: string, mount: Tree): void {
  const wanted = mount['recursiveReadOnly']
  const field = `${at}.recursiveReadOnly`
  if (wanted === undefined || wanted === 'Disabled') return
  to.oneOf(field, wanted, ['Disabled', 'Enabled', 'IfPossible'])
  if (wanted !== 'Enabled' && wanted !== 'IfPossible') return
  if (mount['readOnly'] !== true) to.forbidden(field, 'may only be specified when readOnly is true')
  const propagation = mount['mountPropagation']
  if (propagation !== undefined && propagation !== 'None')
    to.forbidden(field, 'may only be specified when mountPropagation is None or not specified')
}

function checkPropagation(to: Causes, at: string, mount: Tree, container: Tree): void {
  const wanted = mount['mountPropagation']
  if (wanted === undefined) return
  to.oneOf(`${at}.mountPropagation`, wanted, propagations)
  if (wanted === 'Bidirectional' && treeAt(container, 'securityContext')['privileged'] !== true) {
    const why = 'Bidirectional mount propagation is available only to privileged containers'
    to.forbidden(`${at}.mountPropagation`, why)
  }
}

/** Checks the mounts of the container at `container`. */
export function checkMounts(to: Causes, container: string, of: Tree, volumes: Volumes): void {
  // argo and the API server alike: some of these errors are told of the list, without an index.
  const list = `${container}.volumeMounts`
  const paths = new Set<string>()
  const devices = new Map(treesAt(of, 'volumeDevices').map(one => [textAt(one, 'name'), textAt(one, 'devicePath')]))
  for (const [i, mount] of treesAt(of, 'volumeMounts').entries()) {
    const here = `${list}[${i}]`
    const [name, path] = [textAt(mount, 'name'), textAt(mount, 'mountPath')]
    if (name === '') to.required(`${here}.name`)
    if (!volumes.has(name)) to.notFound(`${here}.name`, name)
    if (path === '') to.required(`${here}.mountPath`)
    if (paths.has(path)) to.invalid(`${here}.mountPath`, path, 'must be unique')
    paths.add(path)
    if (devices.has(name)) to.invalid(`${here}.name`, name, 'must not already exist in volumeDevices')
    if ([...devices.values()].includes(path))
      to.invalid(`${here}.mountPath`, path, 'must not already exist as a path in volumeDevices')
    const [sub, expression] = [textAt(mount, 'subPath'), textAt(mount, 'subPathExpr')]
    checkRelativePath(to, `${list}.subPath`, sub)
    if (sub !== '' && expression !== '')
      to.invalid(`${here}.subPathExpr`, expression, 'subPathExpr and subPath are mutually exclusive')
    checkRelativePath(to, `${list}.subPathExpr`, expression)
    checkPropagation(to, list, mount, of)
    checkReadOnly(to, list, mount)
  }
}

/** Checks the block devices of the container at `container`. */
export function checkDevices(to: Causes, container: string, of: Tree, volumes: Volumes): void {
  const [names, paths] = [new Set<string>(), new Set<string>()]
  const mounts = new Map(treesAt(of, 'volumeMounts').map(one => [textAt(one, 'name'), textAt(one, 'mountPath')]))
  for (const [i, device] of treesAt(of, 'volumeDevices').entries()) {
    const here = `${container}.volumeDevices[${i}]`
    const [name, path] = [textAt(device, 'name'), textAt(device, 'devicePath')]
    const volume = volumes.get(name)
    if (name === '') to.required(`${here}.name`)
    if (names.has(name)) to.invalid(`${here}.name`, name, 'must be unique')
    const kinds = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
    if (!volume) to.notFound(`${here}.name`, name)
    else if (!volume.isClaim) to.invalid(`${here}.name`, name, kinds)
    if (path === '') to.required(`${here}.devicePath`)
    if (paths.has(path)) to.invalid(`${here}.devicePath`, path, 'must be unique')
    if (path.split('/').includes('..')) to.invalid(`${here}.devicePath`, path, "can not contain backsteps ('..')")
    else paths.add(path)
    if (mounts.has(name)) to.invalid(`${here}.name`, name, 'must not already exist in volumeMounts')
    if ([...mounts.values()].includes(path))
      to.invalid(`${here}.devicePath`, path, 'must not already exist as a path in volumeMounts')
    if (name !== '') names.add(name)
  }
}
