// What an API server fills into a pod template, type by type: a live template has it, one from a manifest has not.

type Fields = Record<string, unknown>

const isAbsent = (value: unknown): boolean => value === undefined || value === null

const record = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

/** Sets members that are absent or zero. */
const fill =
  (defaults: Fields) =>
  (fields: Fields): void => {
    for (const [key, value] of Object.entries(defaults)) {
      const now = fields[key]
      if (isAbsent(now) || now === '' || now === 0) fields[key] = value
    }
  }

/** Sets members that are absent; zero is a value here. */
const fillAbsent =
  (defaults: Fields) =>
  (fields: Fields): void => {
    for (const [key, value] of Object.entries(defaults)) if (isAbsent(fields[key])) fields[key] = value
  }

/** Always for images that follow a moving tag: `latest`, or neither tag nor digest. */
function pullPolicy(image: unknown): string {
  const name = typeof image === 'string' ? image : ''
  if (name.includes('@')) return 'IfNotPresent'
  const tag = /:([^/:]+)$/.exec(name)?.[1]
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent'
}

function container(fields: Fields): void {
  const imagePullPolicy = pullPolicy(fields['image'])
  const terminationMessagePath = '/dev/termination-log'
  fill({ imagePullPolicy, terminationMessagePath, terminationMessagePolicy: 'File' })(fields)
}

/** On the host's network a container port is the host's port. */
function hostPorts(list: unknown): unknown {
  if (!Array.isArray(list)) return list
  return list.map(item => {
    const { ports, ...rest } = record(item)
    if (!Array.isArray(ports)) return item
    const open = ports.map(port => {
      const { hostPort, ...fields } = record(port)
      return { ...fields, hostPort: hostPort || fields['containerPort'] }
    })
    return { ...rest, ports: open }
  })
}

function podSpec(fields: Fields): void {
  fill({ dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' })(fields)
  fillAbsent({ securityContext: {}, terminationGracePeriodSeconds: 30 })(fields)
  if (fields['hostNetwork'] !== true) return
  fields['containers'] = hostPorts(fields['containers'])
  fields['initContainers'] = hostPorts(fields['initContainers'])
}

function volume(fields: Fields): void {
  const hasSource = Object.entries(fields).some(([key, value]) => key !== 'name' && !isAbsent(value))
  if (!hasSource) fields['emptyDir'] = {}
}

const mode = fillAbsent({ defaultMode: 0o644 })

/** The defaults of a type's members, by the type's name in go-json-order.ts; changes the given fields. */
export const POD_DEFAULTS: Readonly<Record<string, (fields: Fields) => void>> = {
  PodSpec: podSpec,
  Container: container,
  EphemeralContainer: container,
  ContainerPort: fill({ protocol: 'TCP' }),
  Probe: fill({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  HTTPGetAction: fill({ path: '/', scheme: 'HTTP' }),
  GRPCAction: fillAbsent({ service: '' }),
  ObjectFieldSelector: fill({ apiVersion: 'v1' }),
  FileKeySelector: fillAbsent({ optional: false }),
  Volume: volume,
  SecretVolumeSource: mode,
  ConfigMapVolumeSource: mode,
  DownwardAPIVolumeSource: mode,
  ProjectedVolumeSource: mode,
  ServiceAccountTokenProjection: fillAbsent({ expirationSeconds: 3600 }),
  PodCertificateProjection: fillAbsent({ maxExpirationSeconds: 86_400 }),
  HostPathVolumeSource: fillAbsent({ type: '' }),
  ISCSIVolumeSource: fill({ iscsiInterface: 'default' }),
  RBDVolumeSource: fill({ pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }),
  AzureDiskVolumeSource: fillAbsent({ cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false }),
  ScaleIOVolumeSource: fill({ storageMode: 'ThinProvisioned', fsType: 'xfs' }),
  PersistentVolumeClaimSpec: fillAbsent({ volumeMode: 'Filesystem' }),
  ImageVolumeSource: fields => fill({ pullPolicy: pullPolicy(fields['reference']) })(fields),
}
