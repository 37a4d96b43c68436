// A rollout as a tree: revisions, their ReplicaSets with pods, experiments and analysis runs with jobs.
import type { Millis } from '../contract.ts'
import { ageOf, humanDuration } from './age.ts'
import type { AnalysisRunInfo } from './analysis-view.ts'
import type { ExperimentInfo } from './experiment-view.ts'
import { delayOf, type PodInfo, type ReplicaSetInfo } from './replica-set-view.ts'
import type { RolloutInfo } from './rollout-view.ts'

/** A line of the tree. `icon` belongs to the status and is empty where there is none. */
export type Node = Readonly<{
  sign: string
  name: string
  kind: string
  icon: string
  status: string
  age: string
  info: readonly string[]
  children: readonly Node[]
}>

function podNode(pod: PodInfo, now: Millis): Node {
  const info = [`ready:${pod.ready}`, ...(pod.restarts > 0 ? [`restarts:${pod.restarts}`] : [])]
  const { name, creationTimestamp } = pod.objectMeta
  return {
    sign: '□',
    name,
    kind: 'Pod',
    icon: pod.icon,
    status: pod.status,
    age: ageOf(creationTimestamp, now),
    info,
    children: [],
  }
}

const ROLES = ['stable', 'canary', 'active', 'preview', 'ping', 'pong'] as const

/** The parts that a set plays, in the order in which they are shown. */
export const rolesText = (rs: ReplicaSetInfo): readonly string[] => ROLES.filter(role => rs[role])

function setNode(rs: ReplicaSetInfo, now: Millis): Node {
  const delay = delayOf(rs, now)
  const shown = delay === undefined ? [] : [`delay:${delay === 0 ? 'passed' : humanDuration(delay)}`]
  return {
    sign: '⧉',
    name: rs.objectMeta.name,
    kind: 'ReplicaSet',
    icon: rs.icon,
    status: rs.status,
    age: ageOf(rs.objectMeta.creationTimestamp, now),
    info: [...rolesText(rs), ...shown],
    children: rs.pods.map(pod => podNode(pod, now)),
  }
}

function runNode(run: AnalysisRunInfo, now: Millis): Node {
  const counts: readonly (readonly [string, number])[] = [
    ['✔', run.successful],
    ['✖', run.failed],
    ['?', run.inconclusive],
    ['⚠', run.error],
  ]
  const jobs = run.jobs.map(job => ({
    sign: '⊞',
    name: job.objectMeta.name,
    kind: 'Job',
    icon: job.icon,
    status: job.status,
    age: ageOf(job.startedAt, now),
    info: [],
    children: [],
  }))
  return {
    sign: 'α',
    name: run.objectMeta.name,
    kind: 'AnalysisRun',
    icon: run.icon,
    status: run.status,
    age: ageOf(run.objectMeta.creationTimestamp, now),
    info: counts.filter(([, count]) => count > 0).map(([icon, count]) => `${icon} ${count}`),
    children: jobs,
  }
}

/** An experiment with its ReplicaSets and runs. */
export function experimentTree(experiment: ExperimentInfo, now: Millis): Node {
  return {
    sign: 'Σ',
    name: experiment.objectMeta.name,
    kind: 'Experiment',
    icon: experiment.icon,
    status: experiment.status,
    age: ageOf(experiment.objectMeta.creationTimestamp, now),
    info: [],
    children: [
      ...experiment.replicaSets.map(rs => setNode(rs, now)),
      ...experiment.analysisRuns.map(run => runNode(run, now)),
    ],
  }
}

/** The whole tree of a rollout, newest revision first; what carries no revision stands under revision 0. */
export function rolloutTree(rollout: RolloutInfo, now: Millis): Node {
  const { replicaSets, experiments, analysisRuns } = rollout
  const revisions = new Set([...replicaSets, ...experiments, ...analysisRuns].map(({ revision }) => revision))
  const children = [...revisions]
    .toSorted((a, b) => b - a)
    .map(revision => ({
      sign: '#',
      name: `revision:${revision}`,
      kind: '',
      icon: '',
      status: '',
      age: '',
      info: [],
      children: [
        ...replicaSets.filter(rs => rs.revision === revision).map(rs => setNode(rs, now)),
        ...experiments.filter(experiment => experiment.revision === revision).map(e => experimentTree(e, now)),
        ...analysisRuns.filter(run => run.revision === revision).map(run => runNode(run, now)),
      ],
    }))
  return {
    sign: '⟳',
    name: rollout.objectMeta.name,
    kind: 'Rollout',
    icon: rollout.icon,
    status: rollout.status,
    age: ageOf(rollout.objectMeta.creationTimestamp, now),
    info: [],
    children,
  }
}
