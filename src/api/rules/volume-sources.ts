// Rules for the sources of volumes, one by one.
import type { Causes } from './causes.ts'
import { checkClaimTemplate } from './claim-template.ts'
import { bytes, dnsLabelFaults, dnsSubdomainFaults } from './names.ts'
import { checkFile, checkItems, checkMode, checkProjection } from './projected.ts'
import { parseQuantity } from './quantity.ts'
import { checkRelativePath } from './security.ts'
import { isTree, listAt, numberAt, type Tree, textAt, treeAt, treesAt } from './tree.ts'

type Rule = (to: Causes, at: string, source: Tree) => void

/** A rule: these members must not be empty. */
const needs =
  (...names: readonly string[]): Rule =>
  (to, at, source) => {
    for (const name of names) if (textAt(source, name) === '') to.required(`${at}.${name}`)
  }

const all =
  (...rules: readonly Rule[]): Rule =>
  (to, at, source) => {
    for (const rule of rules) rule(to, at, source)
  }

/** A rule: a secret that is named has a name. */
const namedSecret: Rule = (to, at, source) => {
  if (isTree(source['secretRef']) && textAt(source['secretRef'], 'name') === '') to.required(`${at}.secretRef.name`)
}

const partition: Rule = (to, at, source) => {
  const value = numberAt(source, 'partition')
  // Zero is fine, whatever the sentence says.
  if (value < 0 || value > 255) to.invalid(`${at}.partition`, value, 'must be between 1 and 255, inclusive')
}

const isIscsiName = (name: string): boolean => {
  if (name.startsWith('iqn')) return /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9-.]+)(:[^,;*&$|\s]+)$/.test(name)
  return name.startsWith('eui') ? /^eui.[a-zA-Z0-9]{16}$/.test(name) : /^naa.[a-zA-Z0-9]{32}$/.test(name)
}

function checkIscsiName(to: Causes, field: string, name: string): void {
  if (!/^(iqn|eui|naa)/.test(name)) to.invalid(field, name, 'must be valid format starting with iqn, eui, or naa')
  else if (!isIscsiName(name)) to.invalid(field, name, 'must be valid format')
}

const iscsi: Rule = (to, at, source) => {
  needs('targetPortal', 'iqn')(to, at, source)
  const iqn = textAt(source, 'iqn')
  if (iqn !== '') checkIscsiName(to, `${at}.iqn`, iqn)
  const lun = numberAt(source, 'lun')
  if (lun < 0 || lun > 255) to.invalid(`${at}.lun`, lun, 'must be between 0 and 255, inclusive')
  const isSecret = source['chapAuthDiscovery'] === true || source['chapAuthSession'] === true
  if (isSecret && !isTree(source['secretRef'])) to.required(`${at}.secretRef`)
  const initiator = source['initiatorName']
  if (initiator !== undefined) checkIscsiName(to, `${at}.initiatorname`, String(initiator))
}

const fc: Rule = (to, at, source) => {
  const names = listAt(source, 'targetWWNs')
  const ids = listAt(source, 'wwids')
  if (names.length === 0 && ids.length === 0)
    to.required(`${at}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both')
  if (names.length > 0 && ids.length > 0)
    to.invalid(`${at}.targetWWNs`, names, 'targetWWNs and wwids can not be specified simultaneously')
  if (names.length === 0) return
  if (source['lun'] === undefined) to.required(`${at}.lun`, 'lun is required if targetWWNs is specified')
  else to.between(`${at}.lun`, source['lun'], 0, 255)
}

const hostPathTypes = 'BlockDevice CharDevice Directory DirectoryOrCreate File FileOrCreate Socket'.split(' ')

const hostPath: Rule = (to, at, source) => {
  const path = textAt(source, 'path')
  if (path === '') {
    to.required(`${at}.path`)
    return
  }
  if (path.split('/').includes('..')) to.invalid(`${at}.path`, path, "must not contain '..'")
  to.oneOf(`${at}.type`, textAt(source, 'type'), ['', ...hostPathTypes])
}

const quobyte: Rule = (to, at, source) => {
  const registry = textAt(source, 'registry')
  const pairs = 'must be a host:port pair or multiple pairs separated by commas'
  if (registry === '') to.required(`${at}.registry`, pairs)
  else if (bytes(textAt(source, 'tenant')) >= 65)
    to.required(`${at}.tenant`, 'must be a UUID and may not exceed a length of 64 characters')
  else
    for (const pair of registry.split(','))
      if (!/^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair)) to.invalid(`${at}.registry`, registry, pairs)
  needs('volume')(to, at, source)
}

const flocker: Rule = (to, at, source) => {
  const name = textAt(source, 'datasetName')
  const uuid = textAt(source, 'datasetUUID')
  if (name === '' && uuid === '') to.required(at, 'one of datasetName and datasetUUID is required')
  if (name !== '' && uuid !== '')
    to.invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')
  if (name.includes('/')) to.invalid(`${at}.datasetName`, name, "must not contain '/'")
}

const flexVolume: Rule = (to, at, source) => {
  needs('driver')(to, at, source)
  for (const key of Object.keys(treeAt(source, 'options'))) {
    const domain = `.${(key.split('/')[0] ?? '').toLowerCase()}`
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io'))
      to.invalid(`${at}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved')
  }
}

const azureDisk: Rule = (to, at, source) => {
  needs('diskName', 'diskURI')(to, at, source)
  const { cachingMode, kind } = source
  const uri = textAt(source, 'diskURI')
  if (cachingMode !== undefined) to.oneOf(`${at}.cachingMode`, cachingMode, ['None', 'ReadOnly', 'ReadWrite'])
  if (kind === undefined) return
  to.oneOf(`${at}.kind`, kind, ['Dedicated', 'Managed', 'Shared'])
  const managed = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
  const blob = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'
  const [start, form] = kind === 'Managed' ? ['/subscriptions/', managed] : ['https://', blob]
  if (!uri.startsWith(start ?? '')) to.unsupported(`${at}.diskURI`, uri, [form ?? ''])
}

const storageos: Rule = (to, at, source) => {
  const [name, namespace] = [textAt(source, 'volumeName'), textAt(source, 'volumeNamespace')]
  if (name === '') to.required(`${at}.volumeName`)
  else to.faults(`${at}.volumeName`, name, dnsLabelFaults(name))
  if (namespace !== '') to.faults(`${at}.volumeNamespace`, namespace, dnsLabelFaults(namespace))
  namedSecret(to, at, source)
}

const csi: Rule = (to, at, source) => {
  const driver = textAt(source, 'driver')
  if (driver === '') to.required(`${at}.driver`)
  // A name that is not there is told of twice by older releases.
  if (driver === '' && to.dialect !== '1.34') return
  if (bytes(driver) > 63) to.tooLong(`${at}.driver`, 63)
  to.faults(`${at}.driver`, driver, dnsSubdomainFaults(driver.toLowerCase()))
  const secret = source['nodePublishSecretRef']
  if (!isTree(secret)) return
  const name = textAt(secret, 'name')
  if (name === '') to.required(`${at}.nodePublishSecretRef.name`)
  // The path of this one is the source's.
  else to.faults(`${at}.name`, name, dnsSubdomainFaults(name))
}

const gitRepo: Rule = (to, at, source) => {
  needs('repository')(to, at, source)
  checkRelativePath(to, `${at}.directory`, textAt(source, 'directory'))
}

const nfs: Rule = (to, at, source) => {
  needs('server', 'path')(to, at, source)
  const path = textAt(source, 'path')
  if (!path.startsWith('/')) to.invalid(`${at}.path`, path, 'must be an absolute path')
}

const emptyDir: Rule = (to, at, source) => {
  const limit = source['sizeLimit']
  if (limit !== undefined && (parseQuantity(String(limit))?.nano ?? 0n) < 0n)
    to.forbidden(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')
}

const downwardApi: Rule = (to, at, source) => {
  checkMode(to, `${at}.defaultMode`, source['defaultMode'])
  // The path of these lacks the index.
  for (const file of treesAt(source, 'items')) checkFile(to, at, file)
}

const cephfs: Rule = (to, at, source) => {
  if (listAt(source, 'monitors').length === 0) to.required(`${at}.monitors`)
}

const ephemeral: Rule = (to, at, source) => {
  const template = source['volumeClaimTemplate']
  if (isTree(template)) checkClaimTemplate(to, `${at}.volumeClaimTemplate`, template)
  else to.required(`${at}.volumeClaimTemplate`)
}

const image: Rule = (to, at, source) => {
  if (to.dialect !== '1.34' && textAt(source, 'reference') === '') to.required(`${at}.reference`)
  to.oneOfRequired(`${at}.pullPolicy`, source['pullPolicy'], ['Always', 'IfNotPresent', 'Never'])
}

/** The sources in the order in which they are looked at: only the first counts. */
const rules: Readonly<Record<string, Rule>> = {
  emptyDir,
  hostPath,
  gitRepo,
  gcePersistentDisk: all(needs('pdName'), partition),
  awsElasticBlockStore: all(needs('volumeID'), partition),
  secret: all(needs('secretName'), checkItems),
  nfs,
  iscsi,
  glusterfs: needs('endpoints', 'path'),
  flocker,
  persistentVolumeClaim: needs('claimName'),
  rbd: all(cephfs, needs('image')),
  cinder: all(needs('volumeID'), namedSecret),
  cephfs,
  quobyte,
  downwardAPI: downwardApi,
  fc,
  flexVolume,
  configMap: all(needs('name'), checkItems),
  azureFile: needs('secretName', 'shareName'),
  vsphereVolume: needs('volumePath'),
  photonPersistentDisk: needs('pdID'),
  portworxVolume: needs('volumeID'),
  azureDisk,
  storageos,
  projected: checkProjection,
  scaleIO: needs('gateway', 'system', 'volumeName'),
  csi,
  ephemeral,
  image,
}

/** The paths of errors are the server's, which are not always the names of the fields. */
const paths: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' }
const extraPaths: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }

/** Checks where the volume at `at` comes from; the first source is checked, further ones are one too many. */
export function checkVolumeSource(to: Causes, at: string, volume: Tree): void {
  let isSeen = false
  for (const [name, rule] of Object.entries(rules)) {
    if (volume[name] === undefined) continue
    // A source of another type is an empty one.
    const source = treeAt(volume, name)
    if (isSeen) to.forbidden(`${at}.${extraPaths[name] ?? name}`, 'may not specify more than 1 volume type')
    else rule(to, `${at}.${paths[name] ?? name}`, source)
    isSeen = true
    if (name !== 'iscsi' || source['initiatorName'] === undefined) continue
    const both = `${textAt(volume, 'name')}:${textAt(source, 'targetPortal')}`
    const why =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'
    if (bytes(both) > 64) to.invalid(`${at}.name`, textAt(volume, 'name'), why)
  }
  if (!isSeen) to.required(at, 'must specify a volume type')
}
