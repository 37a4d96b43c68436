// One template of an experiment: its ReplicaSet, its Service, and how it stands (argo-behaviour 6).
import type { ExperimentTemplate, ExperimentTemplateStatus } from '../api/experiment.ts'
import type { PodTemplateSpec, ReplicaSet, Service } from '../api/kube.ts'
import { type Action, type Millis, refOf } from '../contract.ts'
import { HASH_LABEL, SCALE_DOWN_DEADLINE } from '../rollout/keys.ts'
import { REPLICA_SET, SERVICE } from '../rollout/observe.ts'
import { normal, timestamp } from '../rollout/part.ts'
import { podTemplateHash } from '../rollout/pod-hash.ts'
import {
  availableReplicas,
  hasDeadline,
  readyReplicas,
  specReplicas,
  statusReplicas,
  untilDeadline,
} from '../rollout/sets.ts'
import {
  desiredReplicas,
  hasRunItsTime,
  isTemplateOver,
  isTerminating,
  progressDeadline,
  scaleDownDelay,
  templateStatusOf,
} from './facts.ts'
import { EXPERIMENT_NAME, type ExperimentSeen, ownerOf, TEMPLATE_NAME } from './observe.ts'
import { type Task, templateKey } from './task.ts'

export type TemplatePlan = Readonly<{ tasks: readonly Task[]; status: ExperimentTemplateStatus }>

/** What a template needs now, and its status when all of that has been done. */
export function planTemplate(seen: ExperimentSeen, template: ExperimentTemplate, now: Millis): TemplatePlan {
  const rs = seen.sets.get(template.name)
  const before = templateStatusOf(seen.status, template.name)
  const wanted = desiredReplicas(standing(seen), template)
  const isOver = isTerminating(standing(seen)) || isTemplateOver(before?.status)
  const served = planService(seen, template, rs, wanted)
  const sizing = rs ? planSize(seen, rs, wanted, now) : isOver ? [] : [createSet(seen, template)]
  const { message: _m, serviceName: _s, podTemplateHash: _h, ...kept } = before ?? { name: template.name }
  const counts = countsOf(rs)
  const status = judge(seen, template, counts.availableReplicas, wanted, now)
  const hasMoved =
    sizing.some(isMove) || status.status !== before?.status || COUNTS.some(c => counts[c] !== before?.[c])
  const at = hasMoved ? timestamp(now) : before?.lastTransitionTime
  return {
    tasks: [...served.tasks, ...sizing].map(task => ({ ...task, of: templateKey(template.name) })),
    status: {
      ...kept,
      ...counts,
      ...status,
      ...served.fields,
      ...(at === undefined ? {} : { lastTransitionTime: at }),
    },
  }
}

const COUNTS = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'] as const

const countsOf = (rs: ReplicaSet | undefined) => ({
  replicas: statusReplicas(rs),
  updatedReplicas: statusReplicas(rs),
  readyReplicas: readyReplicas(rs),
  availableReplicas: availableReplicas(rs),
})

const standing = ({ experiment, status }: ExperimentSeen) => ({ spec: experiment.spec, status })

/** A template that is through stays so. */
function judge(seen: ExperimentSeen, template: ExperimentTemplate, available: number, wanted: number, now: Millis) {
  const before = templateStatusOf(seen.status, template.name)
  const at = standing(seen)
  if (before && isTemplateOver(before.status)) {
    return { status: before.status ?? '', ...(before.message ? { message: before.message } : {}) }
  }
  if (isTerminating(at)) return { status: 'Successful' }
  if (available === wanted) return { status: hasRunItsTime(at, now) ? 'Successful' : 'Running' }
  const since = before?.lastTransitionTime
  const deadline = progressDeadline(at.spec)
  if (since === undefined || now <= Date.parse(since) + deadline * 1000) return { status: 'Progressing' }
  return {
    status: 'Failed',
    message: `Template '${template.name}' exceeded its progressDeadlineSeconds (${deadline})`,
  }
}

type Work = Readonly<{ action: Action; failure: string }>

/** Creating and scaling count as progress, notes on the set do not. */
const isMove = ({ action }: Work): boolean =>
  action.verb === 'create' || (action.verb === 'patch' && (action.patch as { spec?: unknown }).spec !== undefined)

/** The ReplicaSet of a template, sized 0: it is scaled in the next pass. */
function createSet(seen: ExperimentSeen, { name, selector, template, minReadySeconds }: ExperimentTemplate): Work {
  const { experiment } = seen
  const { [HASH_LABEL]: _copied, ...own } = template.metadata?.labels ?? {}
  const plain = { ...template, metadata: { ...template.metadata, labels: own } } as PodTemplateSpec
  const hash = podTemplateHash(plain, templateStatusOf(seen.status, name)?.collisionCount)
  const labels = { ...own, [HASH_LABEL]: hash }
  const object: ReplicaSet = {
    ...REPLICA_SET,
    metadata: {
      name: `${experiment.metadata.name}-${name}`,
      namespace: seen.namespace,
      labels,
      annotations: marks(seen, name),
      ownerReferences: [ownerOf(experiment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...plain, metadata: { ...plain.metadata, labels } },
    },
  }
  return {
    action: { verb: 'create', object, why: `template ${name} has no ReplicaSet` },
    failure: `Failed to create ReplicaSet for template '${name}'`,
  }
}

const marks = ({ experiment }: ExperimentSeen, template: string) => ({
  [EXPERIMENT_NAME]: experiment.metadata.name,
  [TEMPLATE_NAME]: template,
})

/** Up at once; down when scaleDownDelaySeconds have passed. */
function planSize(seen: ExperimentSeen, rs: ReplicaSet, wanted: number, now: Millis): readonly Work[] {
  const from = specReplicas(rs)
  if (wanted === 0 && from > 0) {
    const delay = scaleDownDelay(seen.experiment.spec)
    if (delay > 0 && !hasDeadline(rs)) return [note(rs, timestamp(now + delay * 1000), `it goes in ${delay} s`)]
    if (delay > 0 && untilDeadline(rs, now) !== undefined) return []
  }
  const revived = wanted > 0 && hasDeadline(rs) ? [note(rs, null, 'it is in use again')] : []
  return from === wanted ? revived : [...revived, scale(rs, wanted)]
}

const note = (rs: ReplicaSet, deadline: string | null, why: string): Work => ({
  action: {
    verb: 'patch',
    ref: refOf(rs),
    type: 'merge',
    patch: { metadata: { annotations: { [SCALE_DOWN_DEADLINE]: deadline } } },
    why,
  },
  failure: `Unable to set the scale-down deadline of ReplicaSet ${rs.metadata.name}`,
})

function scale(rs: ReplicaSet, to: number): Work {
  const from = specReplicas(rs)
  const text = `Scaled ${to > from ? 'up' : 'down'} ReplicaSet ${rs.metadata.name} from ${from} to ${to}`
  return {
    action: {
      verb: 'patch',
      ref: refOf(rs),
      type: 'merge',
      patch: { spec: { replicas: to } },
      why: to > from ? 'the experiment runs' : 'its part of the experiment is over',
      event: normal('ScalingReplicaSet', text),
    },
    failure: `Unable to scale ReplicaSet for template '${rs.metadata.annotations?.[TEMPLATE_NAME]}' to desired replica count '${to}'`,
  }
}

type Served = Readonly<{ tasks: readonly Work[]; fields: Partial<ExperimentTemplateStatus> }>

/** A Service for the pods of the template, as long as there are any. argo: it is never deleted before the experiment. */
function planService(
  seen: ExperimentSeen,
  { name, service: asked }: ExperimentTemplate,
  rs: ReplicaSet | undefined,
  wanted: number,
): Served {
  const live = seen.services.get(name)
  if (live) {
    const isDone = asked == null || (wanted === 0 && (!rs || (specReplicas(rs) === 0 && availableReplicas(rs) === 0)))
    if (!isDone) return { tasks: [], fields: fieldsOf(live) }
    const action: Action = { verb: 'delete', ref: refOf(live), why: 'nothing is left behind it' }
    return { tasks: [{ action, failure: `Failed to delete Service for template '${name}'` }], fields: {} }
  }
  if (asked == null || !rs || wanted === 0) return { tasks: [], fields: {} }
  const ports = (rs.spec.template.spec?.containers ?? []).flatMap(container => container.ports ?? [])
  if (ports.length === 0) return { tasks: [], fields: {} }
  const object: Service = {
    ...SERVICE,
    metadata: {
      name: asked.name || rs.metadata.name,
      namespace: seen.namespace,
      annotations: marks(seen, name),
      ownerReferences: [ownerOf(seen.experiment)],
    },
    spec: {
      selector: rs.metadata.labels ?? {},
      ports: ports.map(({ name: port, containerPort, protocol }) => ({
        ...(port ? { name: port } : {}),
        ...(protocol ? { protocol } : {}),
        port: containerPort,
        targetPort: containerPort,
      })),
    },
  }
  const action: Action = { verb: 'create', object, why: `template ${name} asks for a Service` }
  const failure = `Failed to create Service ${object.metadata.name} for template '${name}'`
  return { tasks: [{ action, failure }], fields: fieldsOf(object) }
}

const fieldsOf = ({ metadata, spec }: Service): Partial<ExperimentTemplateStatus> => ({
  serviceName: metadata.name,
  podTemplateHash: spec?.selector?.[HASH_LABEL] ?? '',
})
