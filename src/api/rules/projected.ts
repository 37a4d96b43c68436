// Rules for volumes whose files come from the cluster: items of ConfigMaps and Secrets, fields of the Pod, credentials.
import type { Causes } from './causes.ts'
import { checkFieldRef, checkResourceFieldRef } from './env.ts'
import { bytes, dnsLabelFaults, dnsSubdomainFaults } from './names.ts'
import { checkRelativePath } from './security.ts'
import { checkSelector } from './selector.ts'
import { isTree, type Tree, textAt, treesAt } from './tree.ts'

/** Checks a file's mode. */
export function checkMode(to: Causes, field: string, mode: unknown): void {
  if (typeof mode === 'number' && (mode < 0 || mode > 0o777))
    to.invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}

function checkPath(to: Causes, field: string, path: string): void {
  checkRelativePath(to, field, path)
  if (path.startsWith('..') && !path.startsWith('../')) to.invalid(field, path, "must not start with '..'")
}

function checkItem(to: Causes, at: string, item: Tree): void {
  const path = textAt(item, 'path')
  if (textAt(item, 'key') === '') to.required(`${at}.key`)
  if (path === '') to.required(`${at}.path`)
  checkPath(to, `${at}.path`, path)
  checkMode(to, `${at}.mode`, item['mode'])
}

/** Checks which keys of a ConfigMap or Secret become which files. */
export function checkItems(to: Causes, at: string, source: Tree): void {
  checkMode(to, `${at}.defaultMode`, source['defaultMode'])
  for (const [i, item] of treesAt(source, 'items').entries()) checkItem(to, `${at}.items[${i}]`, item)
}

/** Checks a file that tells something of the Pod. */
export function checkFile(to: Causes, at: string, file: Tree): void {
  const path = textAt(file, 'path')
  const { fieldRef, resourceFieldRef } = file
  if (path === '') to.required(`${at}.path`)
  checkPath(to, `${at}.path`, path)
  if (isTree(fieldRef)) {
    checkFieldRef(to, `${at}.fieldRef`, fieldRef, true)
    if (isTree(resourceFieldRef))
      to.invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')
  } else if (isTree(resourceFieldRef)) checkResourceFieldRef(to, `${at}.resourceFieldRef`, resourceFieldRef, true)
  else to.required(at, 'one of fieldRef and resourceFieldRef is required')
  checkMode(to, `${at}.mode`, file['mode'])
}

/** Checks a signer such as example.com/name. */
function checkSigner(to: Causes, field: string, signer: string): void {
  if (signer === '') to.required(field)
  else if (signer.split('/').length === 2) checkSignerParts(to, field, signer)
  else to.invalid(field, signer, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
}

function checkSignerParts(to: Causes, field: string, signer: string): void {
  const [domain = '', name = ''] = signer.split('/')
  if (bytes(domain) > 253) to.tooLong(field, 253)
  const labels = (text: string, faultsOf: (label: string) => string[]) => {
    // One label's faults are enough.
    const label = text.split('.').find(one => faultsOf(one).length > 0)
    for (const fault of label === undefined ? [] : faultsOf(label))
      to.invalid(field, text, `validating label ${JSON.stringify(label)}: ${fault}`)
  }
  labels(domain, dnsLabelFaults)
  if (!domain.includes('.'))
    to.invalid(field, domain, 'should be a domain with at least two segments separated by dots')
  labels(name, dnsSubdomainFaults)
  if (bytes(signer) > 571) to.tooLong(field, 571)
}

/** What is wrong with the name of a ClusterTrustBundle, which starts with its signer's; empty: nothing. */
const bundleFaults = (name: string): string[] => dnsSubdomainFaults(name.slice(name.lastIndexOf(':') + 1))

function checkBundle(to: Causes, at: string, bundle: Tree): void {
  const { name, signerName, labelSelector } = bundle
  if (name !== undefined && signerName !== undefined) {
    const shown = {
      Name: name,
      SignerName: signerName,
      LabelSelector: labelSelector ?? null,
      Optional: bundle['optional'] ?? null,
      Path: textAt(bundle, 'path'),
    }
    to.invalid(at, shown, 'only one of name and signerName may be used')
  } else if (name !== undefined) {
    if (name === '') to.required(`${at}.name`, 'must be a valid object name')
    for (const fault of bundleFaults(String(name)))
      to.invalid(`${at}.name`, name, `not a valid clustertrustbundlename: ${fault}`)
    if (labelSelector !== undefined)
      to.invalid(`${at}.labelSelector`, labelSelector, 'labelSelector must be unset if name is specified')
  } else if (signerName !== undefined) {
    if (signerName === '') to.required(`${at}.signerName`, 'must be a valid signer name')
    checkSigner(to, `${at}.signerName`, String(signerName))
    if (isTree(labelSelector)) checkSelector(to, `${at}.labelSelector`, labelSelector)
  } else to.required(at, 'either name or signerName must be specified')
  if (textAt(bundle, 'path') === '') to.required(`${at}.path`)
  checkPath(to, `${at}.path`, textAt(bundle, 'path'))
}

function checkToken(to: Causes, at: string, volume: string, token: Tree): void {
  const seconds = token['expirationSeconds'] as number | bigint
  if (seconds < 600) to.invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > 2 ** 32)
    to.invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds')
  // The path of these is the volume's.
  if (textAt(token, 'path') === '') to.required(`${volume}.path`)
  else checkPath(to, `${volume}.path`, textAt(token, 'path'))
}

const DAY = 86_400
const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const certificatePaths = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const

function checkCertificate(to: Causes, at: string, certificate: Tree, take: (path: string) => void): void {
  const signer = textAt(certificate, 'signerName')
  checkSigner(to, `${at}.signerName`, signer)
  // A list that is not in the order of its letters: that is how the server has it.
  to.oneOf(`${at}.keyType`, textAt(certificate, 'keyType'), keyTypes)
  const seconds = certificate['maxExpirationSeconds']
  if (typeof seconds === 'number') {
    const most = /^([^/]*\.)?kubernetes\.io(\/|$)/.test(signer) ? DAY : 91 * DAY
    if (seconds < 3600)
      to.invalid(`${at}.maxExpirationSeconds`, seconds, 'if provided, maxExpirationSeconds must be >= 3600')
    if (seconds > most)
      to.invalid(`${at}.maxExpirationSeconds`, seconds, `if provided, maxExpirationSeconds must be <= ${most}`)
  }
  const given = certificatePaths.filter(name => textAt(certificate, name) !== '')
  for (const name of given) {
    checkPath(to, `${at}.${name}`, textAt(certificate, name))
    take(textAt(certificate, name))
  }
  if (given.length === 0)
    to.required(at, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath')
}

const kinds = ['secret', 'configMap', 'downwardAPI', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate']

/** Checks a projected volume: its sources one by one, and that no two make the same file. */
export function checkProjection(to: Causes, at: string, volume: Tree): void {
  checkMode(to, `${at}.defaultMode`, volume['defaultMode'])
  const paths = new Set<string>()
  const take = (path: string, owner = path): void => {
    if (paths.has(path)) to.invalid(at, owner, 'conflicting duplicate paths')
    paths.add(path)
  }
  for (const [i, source] of treesAt(volume, 'sources').entries()) {
    const here = `${at}.sources[${i}]`
    const given = kinds.filter(kind => isTree(source[kind]))
    for (const kind of given) {
      const part = source[kind] as Tree
      const path = `${here}.${kind}`
      if (kind === 'secret' || kind === 'configMap') {
        const name = textAt(part, 'name')
        if (name === '') to.required(`${path}.name`)
        for (const [k, item] of treesAt(part, 'items').entries()) {
          checkItem(to, `${path}.items[${k}]`, item)
          if (textAt(item, 'path') !== '') take(textAt(item, 'path'), name)
        }
      } else if (kind === 'downwardAPI')
        for (const file of treesAt(part, 'items')) {
          checkFile(to, path, file)
          if (textAt(file, 'path') !== '') take(textAt(file, 'path'))
        }
      else if (kind === 'serviceAccountToken') checkToken(to, path, at, part)
      else if (kind === 'clusterTrustBundle') {
        checkBundle(to, path, part)
        take(textAt(part, 'path'))
      } else checkCertificate(to, path, part, take)
    }
    if (given.length > 1) to.forbidden(here, 'may not specify more than 1 volume type per source')
  }
}
