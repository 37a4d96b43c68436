// What a pod template may not have, in the words of the reference: one row a rule that its tables have no vector for.
import { test } from 'tap'
import type { Rollout } from '../../src/api/rollout.ts'
import { specCauses } from '../../src/rollout/validate/spec.ts'

type Fields = Readonly<Record<string, unknown>>

const labels = { app: 'a' }

/** The faults of a Rollout whose pod has these members and whose only container has those. */
function faults(pod: Fields, container: Fields = {}, annotations: Fields = {}): readonly string[] {
  const containers = [{ name: 'c', image: 'nginx', ...container }]
  const template = { metadata: { labels, annotations }, spec: { containers, ...pod } }
  const spec = { selector: { matchLabels: labels }, template, strategy: { canary: {} } } as unknown as Rollout['spec']
  const list = specCauses({ spec, isResolvedFromRef: false })
  return list.map(({ field, message }) => `${field.replace('spec.template.', '').replace('spec.', '')}: ${message}`)
}

const volume = (source: Fields) => ({ volumes: [{ name: 'v', ...source }] })
const c = 'containers[0]'
const v = 'volumes[0]'

const ROWS: readonly (readonly [name: string, got: readonly string[], want: readonly string[]])[] = [
  ['nothing wrong', faults({}), []],
  ['no pod at all', faults({ containers: undefined }), ['containers: Required value']],
  [
    'a volume of two sources is checked as the first',
    faults(volume({ nfs: { server: '', path: 'p' }, emptyDir: {} })),
    [`${v}.nfs: Forbidden: may not specify more than 1 volume type`],
  ],
  [
    'nfs without a server',
    faults(volume({ nfs: { server: '', path: 'p' } })),
    [`${v}.nfs.server: Required value`, `${v}.nfs.path: Invalid value: "p": must be an absolute path`],
  ],
  [
    'a claim without size',
    faults(volume({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } })),
    [`${v}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value`],
  ],
  [
    'one file twice in a projected volume',
    faults(
      volume({
        projected: {
          sources: ['a', 'b'].map(name => ({ configMap: { name, items: [{ key: 'k', path: 'p' }] } })),
        },
      }),
    ),
    [`${v}.projected: Invalid value: "b": conflicting duplicate paths`],
  ],
  [
    'a volume of which the reference loses what it must have',
    faults(volume({ rbd: { monitors: ['m'], image: 'i' } })),
    [],
  ],
  [
    'a device of a volume that is none',
    faults(volume({ emptyDir: {} }), { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }),
    [
      `${c}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
    ],
  ],
  [
    'a mount both ways in a privileged container',
    faults(volume({ emptyDir: {} }), {
      securityContext: { privileged: true },
      volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }],
    }),
    [
      `${c}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
    ],
  ],
  [
    'a claim that the pod has not',
    faults({ resourceClaims: [{ name: 'x', resourceClaimName: 'x' }] }, { resources: { claims: [{ name: 'y' }] } }),
    [`${c}.resources.claims[0]: Not found: "y": must be one of the names in pod.spec.resourceClaims: x`],
  ],
  [
    'half of a vendor’s device',
    faults({}, { resources: { limits: { 'x.y/gpu': '500m' } } }),
    [`${c}.resources.limits[x.y/gpu]: Invalid value: "500m": must be an integer`],
  ],
  [
    'a field that variables are not told',
    faults({}, { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }] }),
    [
      `${c}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
    ],
  ],
  [
    'a sleep beyond the grace period',
    faults({ terminationGracePeriodSeconds: 5 }, { lifecycle: { preStop: { sleep: { seconds: 6 } } } }),
    [
      `${c}.lifecycle.preStop.sleep: Invalid value: 6: must be greater than 0 and less than terminationGracePeriodSeconds (5). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.`,
    ],
  ],
  [
    'a grace period that a double cannot hold',
    faults(
      { terminationGracePeriodSeconds: 9_223_372_036_854_775_807n },
      { securityContext: { runAsUser: 2n ** 60n } },
    ),
    [`${c}.securityContext.runAsUser: Invalid value: 1152921504606846976: must be between 0 and 2147483647, inclusive`],
  ],
  [
    'a profile without a place',
    faults({ securityContext: { seccompProfile: { type: 'Localhost' } } }),
    ['securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost'],
  ],
  [
    'a profile in an annotation',
    faults({}, {}, { 'container.apparmor.security.beta.kubernetes.io/d': 'runtime/default' }),
    ['annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": container not found'],
  ],
  [
    'Windows has no groups',
    faults({ os: { name: 'windows' }, securityContext: { fsGroup: 1 } }),
    ['securityContext.fsGroup: Forbidden: cannot be set for a windows pod'],
  ],
  [
    'a node field that there is none of',
    faults({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'x', operator: 'In', values: ['n'] }] }],
          },
        },
      },
    }),
    [
      'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "x": not a valid field selector key',
    ],
  ],
  [
    'keys without a selector',
    faults({
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2, matchLabelKeys: ['a'] },
      ],
    }),
    [
      'topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
      'topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
    ],
  ],
  [
    'ephemeral containers',
    faults({ ephemeralContainers: [{ name: 'e', image: 'i', targetContainerName: 'x' }] }),
    [
      'ephemeralContainers[0].targetContainerName: Not found: "x"',
      'ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
    ],
  ],
  ['an address with a zero in front', faults({ hostAliases: [{ ip: '01.2.3.4', hostnames: ['a'] }] }), []],
  [
    'a search path',
    faults({ dnsConfig: { searches: ['a.b.', '_x'] } }),
    [
      "dnsConfig.searches[1]: Invalid value: \"_x\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
]

for (const [name, got, want] of ROWS)
  test(`a pod template: ${name}`, async t => {
    t.same(got, want)
  })
