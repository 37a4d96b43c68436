// Rules for the PersistentVolumeClaim that a volume makes for its Pod.
import type { Causes } from './causes.ts'
import { dnsLabelFaults, dnsSubdomainFaults } from './names.ts'
import { canonicalText, parseQuantity } from './quantity.ts'
import { checkAnnotations, checkLabels, checkSelector } from './selector.ts'
import { isTree, listAt, type Tree, textAt, treeAt } from './tree.ts'

const modes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

function checkModes(to: Causes, at: string, spec: Tree): void {
  const given = listAt(spec, 'accessModes').map(String)
  for (const mode of given) to.oneOf(at, mode, modes)
  const others = given.filter(mode => mode !== 'ReadWriteOncePod' && modes.includes(mode))
  if (given.includes('ReadWriteOncePod') && others.length > 0)
    to.forbidden(at, 'may not use ReadWriteOncePod with other access modes')
}

function checkReference(to: Causes, at: string, ref: Tree): void {
  const kind = textAt(ref, 'kind')
  const group = textAt(ref, 'apiGroup')
  for (const name of ['name', 'kind']) if (textAt(ref, name) === '') to.required(`${at}.${name}`)
  if (group === '' && kind !== 'PersistentVolumeClaim')
    to.invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
  if (group !== '') to.faults(`${at}.apiGroup`, group, dnsSubdomainFaults(group))
  const namespace = textAt(ref, 'namespace')
  if (namespace !== '') to.faults(`${at}.namespace`, namespace, dnsLabelFaults(namespace))
}

function checkReferences(to: Causes, at: string, { dataSource, dataSourceRef }: Tree): void {
  if (isTree(dataSource)) checkReference(to, `${at}.dataSource`, { ...dataSource, namespace: '' })
  if (isTree(dataSourceRef)) checkReference(to, `${at}.dataSourceRef`, dataSourceRef)
  if (!isTree(dataSource) || !isTree(dataSourceRef)) return
  // The value that the server shows with these is a path of its own, with no member in it that can be written down.
  const isSame = ['apiGroup', 'kind', 'name'].every(
    name =>
      (dataSource[name] ?? (name === 'apiGroup' ? undefined : '')) ===
      (dataSourceRef[name] ?? (name === 'apiGroup' ? undefined : '')),
  )
  if (textAt(dataSourceRef, 'namespace') !== '')
    to.invalid(at, {}, 'may not be specified when dataSourceRef.namespace is specified')
  else if (!isSame) to.invalid(at, {}, 'must match dataSourceRef')
}

/** Checks the template of a claim. */
export function checkClaimTemplate(to: Causes, at: string, template: Tree): void {
  const metadata = treeAt(template, 'metadata')
  checkAnnotations(to, `${at}.metadata.annotations`, treeAt(metadata, 'annotations'))
  checkLabels(to, `${at}.metadata.labels`, treeAt(metadata, 'labels'))
  const spec = treeAt(template, 'spec')
  const here = `${at}.spec`
  if (listAt(spec, 'accessModes').length === 0) to.required(`${here}.accessModes`, 'at least 1 access mode is required')
  if (isTree(spec['selector'])) checkSelector(to, `${here}.selector`, spec['selector'])
  checkModes(to, `${here}.accessModes`, spec)
  const size = treeAt(treeAt(spec, 'resources'), 'requests')['storage']
  if (size === undefined) to.required(`${here}.resources[storage]`)
  else if ((parseQuantity(String(size))?.nano ?? 0n) <= 0n)
    to.invalid(`${here}.resources[storage]`, canonicalText(size), 'must be greater than zero')
  const storageClass = textAt(spec, 'storageClassName')
  if (storageClass !== '') to.faults(`${here}.storageClassName`, storageClass, dnsSubdomainFaults(storageClass))
  if (spec['volumeMode'] !== undefined) to.oneOf(`${here}.volumeMode`, spec['volumeMode'], ['Block', 'Filesystem'])
  checkReferences(to, here, spec)
  const attributes = textAt(spec, 'volumeAttributesClassName')
  if (attributes !== '') to.faults(`${here}.volumeAttributesClassName`, attributes, dnsSubdomainFaults(attributes))
}
