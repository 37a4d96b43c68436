// The pod template: its labels must be selected, and it must be one that a ReplicaSet may have.
import type { RolloutSpec } from '../../api/rollout.ts'
import type { Causes } from '../../api/rules/causes.ts'
import { checkTemplate as checkPodTemplate } from '../../api/rules/pod.ts'
import { selects } from '../../api/rules/selector.ts'
import { type Tree, treeAt, treesAt } from '../../api/rules/tree.ts'
import { sortedKeys } from '../json-text.ts'
import { withDefaults } from './defaulted.ts'

const AT = 'spec.template'

/** argo: the library that it checks with knows no privileged containers, so the word is taken out of the way. */
function unprivileged(spec: Tree): Tree {
  const result = { ...spec }
  for (const list of ['containers', 'initContainers']) {
    if (!Array.isArray(spec[list])) continue
    result[list] = treesAt(spec, list).map(container => {
      const { privileged, ...security } = treeAt(container, 'securityContext')
      return privileged === true ? { ...container, securityContext: security } : container
    })
  }
  return result
}

/** Members by the type that they are lost from. */
const LOST: Readonly<Record<string, readonly string[]>> = {
  ISCSIVolumeSource: ['chapAuthDiscovery', 'chapAuthSession'],
  PersistentVolumeClaimTemplate: ['metadata'],
  PodSpec: ['hostIPC', 'hostNetwork', 'hostPID', 'hostUsers', 'shareProcessNamespace'],
}

/** Checks the template of a rollout whose selector is usable. */
export function checkTemplate(to: Causes, { selector, template }: RolloutSpec): void {
  const given = (template ?? {}) as Tree & { metadata?: { labels?: Tree | null } | null }
  const said = given.metadata?.labels ?? {}
  const labels = Object.fromEntries(sortedKeys(said).map(key => [key, said[key] ?? '']))
  const hasLabels = Object.keys(labels).length > 0
  const isEmpty =
    selector && Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
  if (!isEmpty && !(selector && selects(selector as Tree, labels))) {
    const text = '`selector` does not match template `labels`'
    to.invalid(`${AT}.metadata.labels`, hasLabels ? labels : null, text)
  }
  // argo: what has another name inside Kubernetes than in a manifest is lost on the way to the check: rules about the
  // host's network do not apply. There, volumes whose needed members are lost are refused whatever they say; not here.
  const whole = withDefaults({ ...given, spec: unprivileged(treeAt(given, 'spec')) }, LOST)
  checkPodTemplate(to, AT, whole)
  const spec = (whole['spec'] ?? {}) as Tree
  if (spec['restartPolicy'] !== 'Always') to.unsupported(`${AT}.spec.restartPolicy`, spec['restartPolicy'], ['Always'])
  if (spec['activeDeadlineSeconds'] != null) {
    to.forbidden(`${AT}.spec.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicaSet is not Supported')
  }
}
