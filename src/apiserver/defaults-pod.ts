// What the API server fills into Pods and pod templates.
// source: the defaults of core/v1 and the admission that every cluster runs, less the service account token's volume.
import { fill, isTree, numberAt, ownTree, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'

/** How an image is pulled when nothing is said: always when it is, in words or by omission, the latest. */
function pullPolicy(image: string): string {
  const [name = '', digest] = image.split('@', 2)
  const tag = /:([^/:]+)$/.exec(name)?.[1]
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent'
}

function defaultHttpGet(handler: Tree): void {
  if (isTree(handler['httpGet'])) fill(handler['httpGet'], { path: '/', scheme: 'HTTP' }, true)
}

function defaultContainer(container: Tree): void {
  const image = textAt(container, 'image')
  const path = '/dev/termination-log'
  const policy = { imagePullPolicy: pullPolicy(image), terminationMessagePath: path, terminationMessagePolicy: 'File' }
  fill(container, policy, true)
  fill(container, { resources: {} })
  for (const port of treesAt(container, 'ports')) fill(port, { protocol: 'TCP' }, true)
  for (const variable of treesAt(container, 'env')) {
    const from = treeAt(variable, 'valueFrom')
    if (isTree(from['fieldRef'])) fill(from['fieldRef'], { apiVersion: 'v1' }, true)
    if (isTree(from['fileKeyRef'])) fill(from['fileKeyRef'], { optional: false })
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name]
    if (!isTree(probe)) continue
    fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }, true)
    defaultHttpGet(probe)
    if (isTree(probe['grpc'])) fill(probe['grpc'], { service: '' })
  }
  for (const moment of ['postStart', 'preStop']) defaultHttpGet(treeAt(treeAt(container, 'lifecycle'), moment))
}

function defaultProjection(source: Tree): void {
  for (const item of treesAt(treeAt(source, 'downwardAPI'), 'items')) defaultFieldRef(item)
  if (isTree(source['serviceAccountToken'])) fill(source['serviceAccountToken'], { expirationSeconds: 3600 })
}

function defaultFieldRef(item: Tree): void {
  if (isTree(item['fieldRef'])) fill(item['fieldRef'], { apiVersion: 'v1' }, true)
}

/** Numbers and names that sources of volumes have when nothing is said; 420 is 0644 in octal. */
const volumeDefaults: Readonly<Record<string, Readonly<Tree>>> = {
  secret: { defaultMode: 420 },
  configMap: { defaultMode: 420 },
  downwardAPI: { defaultMode: 420 },
  projected: { defaultMode: 420 },
  hostPath: { type: '' },
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  azureDisk: { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
}

function defaultVolume(volume: Tree): void {
  if (Object.keys(volume).every(key => key === 'name')) volume['emptyDir'] = {}
  for (const [source, defaults] of Object.entries(volumeDefaults))
    if (isTree(volume[source])) fill(volume[source], defaults)
  for (const item of treesAt(treeAt(volume, 'downwardAPI'), 'items')) defaultFieldRef(item)
  for (const source of treesAt(treeAt(volume, 'projected'), 'sources')) defaultProjection(source)
  const claim = treeAt(treeAt(volume, 'ephemeral'), 'volumeClaimTemplate')
  if (isTree(claim['spec'])) fill(claim['spec'], { volumeMode: 'Filesystem' })
  const image = volume['image']
  if (isTree(image)) fill(image, { pullPolicy: pullPolicy(textAt(image, 'reference')) }, true)
}

function containersOf(spec: Tree): Tree[] {
  return [...treesAt(spec, 'initContainers'), ...treesAt(spec, 'containers'), ...treesAt(spec, 'ephemeralContainers')]
}

/** The defaults that a pod's spec has in Pods and in templates alike. */
export function defaultPodSpec(spec: Tree): void {
  fill(spec, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' }, true)
  fill(spec, { securityContext: {}, terminationGracePeriodSeconds: 30 })
  // `serviceAccount` is the old name of `serviceAccountName`; both are always shown alike.
  const account = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount')
  if (account !== '') Object.assign(spec, { serviceAccountName: account, serviceAccount: account })
  for (const container of containersOf(spec)) defaultContainer(container)
  for (const volume of treesAt(spec, 'volumes')) defaultVolume(volume)
}

/** The defaults of the template inside a workload or a PodTemplate. */
export function defaultTemplate(template: Tree): void {
  fill(template, { metadata: {} })
  defaultPodSpec(ownTree(template, 'spec'))
}

const isGiven = (amounts: Tree): boolean => ['cpu', 'memory'].some(key => amounts[key] !== undefined)

/** Guaranteed, Burstable or BestEffort, by the requests and limits for cpu and memory. */
function qosClass(spec: Tree): string {
  const resources = [...treesAt(spec, 'initContainers'), ...treesAt(spec, 'containers')].map(c =>
    treeAt(c, 'resources'),
  )
  if (!resources.some(r => isGiven(treeAt(r, 'requests')) || isGiven(treeAt(r, 'limits')))) return 'BestEffort'
  const isGuaranteed = resources.every(({ requests, limits }) =>
    ['cpu', 'memory'].every(key => {
      const limit = isTree(limits) ? limits[key] : undefined
      const request = isTree(requests) ? requests[key] : undefined
      return limit !== undefined && limit === (request ?? limit)
    }),
  )
  return isGuaranteed ? 'Guaranteed' : 'Burstable'
}

const nodeTroubles = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

function tolerateNodeTroubles(spec: Tree): void {
  const tolerations = treesAt(spec, 'tolerations')
  const covers = (key: string) =>
    tolerations.some(
      t =>
        [key, '', undefined].includes(t['key'] as string) &&
        ['NoExecute', '', undefined].includes(t['effect'] as string),
    )
  const missing = nodeTroubles.filter(key => !covers(key))
  if (missing.length === 0) return
  const added = missing.map(key => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }))
  spec['tolerations'] = [...tolerations, ...added]
}

/** The defaults of a Pod: those of its spec, what only Pods have, and the first status. */
export function defaultPod(pod: Tree): void {
  const spec = ownTree(pod, 'spec')
  for (const container of [...treesAt(spec, 'initContainers'), ...treesAt(spec, 'containers')]) {
    const resources = ownTree(container, 'resources')
    if (isTree(resources['limits'])) fill(ownTree(resources, 'requests'), resources['limits'])
    if (spec['hostNetwork'] === true)
      for (const port of treesAt(container, 'ports')) fill(port, { hostPort: port['containerPort'] }, true)
  }
  defaultPodSpec(spec)
  if (numberAt(spec, 'terminationGracePeriodSeconds') < 0) spec['terminationGracePeriodSeconds'] = 1
  fill(spec, { enableServiceLinks: true, priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
  if (textAt(spec, 'serviceAccountName') === '')
    Object.assign(spec, { serviceAccountName: 'default', serviceAccount: 'default' })
  tolerateNodeTroubles(spec)
  const status = ownTree(pod, 'status')
  fill(status, { phase: 'Pending', qosClass: qosClass(spec) }, true)
  const ip = textAt(status, 'podIP')
  const ips = treesAt(status, 'podIPs')
  // The single address rules when both are there and differ.
  if (ip !== '' && ips[0]?.['ip'] !== ip) status['podIPs'] = [{ ip }]
  else if (ip === '' && ips[0]) status['podIP'] = ips[0]['ip']
}
