// The pod template: its labels must be selected, and it must be one that a ReplicaSet may have.
import type { RolloutSpec } from '../../api/rollout.ts'
import type { Causes } from '../../api/rules/causes.ts'
import { checkTemplate as checkPodTemplate } from '../../api/rules/pod.ts'
import { selects } from '../../api/rules/selector.ts'
import type { Tree } from '../../api/rules/tree.ts'
import { withDefaults } from './defaulted.ts'

const AT = 'spec.template'

/** argo: these are lost on the way to the check, so that rules about the host's network do not apply. */
function withoutHost(template: Tree): Tree {
  const {
    hostNetwork: _n,
    hostPID: _p,
    hostIPC: _i,
    hostUsers: _u,
    shareProcessNamespace: _s,
    ...spec
  } = (template['spec'] ?? {}) as Tree
  return { ...template, spec }
}

/** Checks the template of a rollout whose selector is usable. */
export function checkTemplate(to: Causes, { selector, template }: RolloutSpec): void {
  const given = (template ?? {}) as Tree & { metadata?: { labels?: Tree | null } | null }
  const labels = given.metadata?.labels
  const hasLabels = labels && Object.keys(labels).length > 0
  const isEmpty =
    selector && Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
  if (!isEmpty && !(selector && selects(selector as Tree, labels ?? {}))) {
    const text = '`selector` does not match template `labels`'
    to.invalid(`${AT}.metadata.labels`, hasLabels ? labels : null, text)
  }
  const whole = withoutHost(withDefaults(given))
  checkPodTemplate(to, AT, whole)
  const spec = (whole['spec'] ?? {}) as Tree
  if (spec['restartPolicy'] !== 'Always') to.unsupported(`${AT}.spec.restartPolicy`, spec['restartPolicy'], ['Always'])
  if (spec['activeDeadlineSeconds'] != null) {
    to.forbidden(`${AT}.spec.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicaSet is not Supported')
  }
}
