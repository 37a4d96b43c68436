// The columns of Pods. The status is the most telling word among phase, containers and deletion.

import { isTree, numberAt, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { ageText } from './age.ts'
import { ageColumn, column, nameColumn, orNone, specOf, statusOf, wide } from './columns.ts'
import type { Column } from './model.ts'

type Seen = { reason: string; ready: number; restarts: number; restartedAt: string }

const state = (container: Tree, name: string): Tree | undefined => {
  const found = treeAt(container, 'state')[name]
  return isTree(found) ? found : undefined
}

const isTrue = (pod: Tree, type: string): boolean =>
  treesAt(statusOf(pod), 'conditions').some(c => c['type'] === type && c['status'] === 'True')

/** A sidecar: an init container that keeps running beside the others. */
const isSidecar = (pod: Tree, status: Tree): boolean =>
  treesAt(specOf(pod), 'initContainers').some(c => c['name'] === status['name'] && c['restartPolicy'] === 'Always')

function noteRestarts(seen: Seen, container: Tree): void {
  seen.restarts += numberAt(container, 'restartCount')
  const finished = textAt(treeAt(treeAt(container, 'lastState'), 'terminated'), 'finishedAt')
  if (finished > seen.restartedAt) seen.restartedAt = finished
}

function endText(terminated: Tree): string {
  const reason = textAt(terminated, 'reason')
  if (reason !== '') return reason
  const signal = numberAt(terminated, 'signal')
  return signal === 0 ? `ExitCode:${numberAt(terminated, 'exitCode')}` : `Signal:${signal}`
}

/** Looks at init containers until one is not done; whether one of them holds the pod back. */
function seeInit(pod: Tree, all: Seen, sidecars: Seen): boolean {
  const containers = treesAt(statusOf(pod), 'initContainerStatuses')
  for (const [i, container] of containers.entries()) {
    noteRestarts(all, container)
    const sidecar = isSidecar(pod, container)
    if (sidecar) noteRestarts(sidecars, container)
    const terminated = state(container, 'terminated')
    if (terminated && numberAt(terminated, 'exitCode') === 0) continue
    if (sidecar && container['started'] === true) {
      if (container['ready'] === true) all.ready++
      continue
    }
    const waiting = textAt(state(container, 'waiting') ?? {}, 'reason')
    if (terminated) all.reason = `Init:${endText(terminated)}`
    else if (waiting !== '' && waiting !== 'PodInitializing') all.reason = `Init:${waiting}`
    else all.reason = `Init:${i}/${treesAt(specOf(pod), 'initContainers').length}`
    return true
  }
  return false
}

function seeContainers(pod: Tree, seen: Seen): void {
  let isRunning = false
  let failure = ''
  for (const container of treesAt(statusOf(pod), 'containerStatuses').toReversed()) {
    noteRestarts(seen, container)
    const waiting = textAt(state(container, 'waiting') ?? {}, 'reason')
    const terminated = state(container, 'terminated')
    if (waiting !== '') seen.reason = waiting
    else if (terminated) {
      seen.reason = endText(terminated)
      if (numberAt(terminated, 'exitCode') !== 0) failure = seen.reason
    } else if (container['ready'] === true && state(container, 'running')) {
      isRunning = true
      seen.ready++
    }
  }
  if (seen.reason !== 'Completed') return
  if (isRunning && isTrue(pod, 'Ready')) seen.reason = 'Running'
  else if (failure !== '') seen.reason = failure
  else if (isRunning) seen.reason = 'NotReady'
}

function see(pod: Tree): Seen {
  const status = statusOf(pod)
  const phase = textAt(status, 'phase')
  const seen: Seen = { reason: textAt(status, 'reason') || phase, ready: 0, restarts: 0, restartedAt: '' }
  const isGated = treesAt(status, 'conditions').some(
    c => c['type'] === 'PodScheduled' && c['reason'] === 'SchedulingGated',
  )
  if (isGated) seen.reason = 'SchedulingGated'
  const sidecars: Seen = { ...seen }
  const isHeld = seeInit(pod, seen, sidecars)
  if (!isHeld || isTrue(pod, 'Initialized')) {
    Object.assign(seen, { restarts: sidecars.restarts, restartedAt: sidecars.restartedAt })
    seeContainers(pod, seen)
  }
  if (treeAt(pod, 'metadata')['deletionTimestamp'] === undefined) return seen
  if (status['reason'] === 'NodeLost') seen.reason = 'Unknown'
  else if (phase !== 'Succeeded' && phase !== 'Failed') seen.reason = 'Terminating'
  return seen
}

function readyText(pod: Tree): string {
  const sidecars = treesAt(specOf(pod), 'initContainers').filter(c => c['restartPolicy'] === 'Always')
  return `${see(pod).ready}/${treesAt(specOf(pod), 'containers').length + sidecars.length}`
}

function restartsText(pod: Tree, now: number): string {
  const { restarts, restartedAt } = see(pod)
  return restarts === 0 || restartedAt === '' ? `${restarts}` : `${restarts} (${ageText(restartedAt, now)} ago)`
}

function gatesText(pod: Tree): string {
  const gates = treesAt(specOf(pod), 'readinessGates')
  if (gates.length === 0) return '<none>'
  return `${gates.filter(gate => isTrue(pod, textAt(gate, 'conditionType'))).length}/${gates.length}`
}

export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', readyText),
  column('Status', pod => see(pod).reason),
  column('Restarts', restartsText),
  ageColumn,
  wide('IP', pod => orNone(textAt(treesAt(statusOf(pod), 'podIPs')[0] ?? {}, 'ip'))),
  wide('Node', pod => orNone(textAt(specOf(pod), 'nodeName'))),
  wide('Nominated Node', pod => orNone(textAt(statusOf(pod), 'nominatedNodeName'))),
  wide('Readiness Gates', gatesText),
]
