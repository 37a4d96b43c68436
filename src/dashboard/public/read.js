// Reads what the API sends: which version plays which part, and what share of the traffic it gets.

/** @typedef {Record<string, any>} Info */
/** @typedef {{requestsPerSecond: number, requests: number, errors: number, errorRate: number | null, p50: number | null, p99: number | null}} Version */
/** @typedef {{at: number, byHash: Record<string, Version>, stale?: boolean}} Traffic */
/** @typedef {{role: string, letter: string, share: number, want: number, set: Info | undefined, stats: Version | undefined}} Part */

const HASH = 'rollouts-pod-template-hash'

/** @param {Info} info */
export const keyOf = info => `${info.objectMeta.namespace}/${info.objectMeta.name}`

/** @param {Info} set */
export const hashOf = set => set.objectMeta.labels?.[HASH] ?? ''

/** @param {Info} info */
export const isCanary = info => info.strategy === 'Canary'

/** The main part that a set plays, '' for none. @param {Info} set */
export const roleOf = set => ['active', 'preview', 'stable', 'canary'].find(role => set[role]) ?? ''

/** All parts, for people. @param {Info} set */
export const rolesOf = set => ['stable', 'active', 'canary', 'preview', 'ping', 'pong'].filter(role => set[role])

/** Step done so far and number of steps. @param {Info} info */
export function stepOf(info) {
  const [at, of] = String(info.step ?? '').split('/')
  return { at: Number(at || 0), of: Number(of || 0) }
}

/**
 * The two sides between which traffic is shared, the old one first. Shares are of 100: what the proxy has counted over the
 * last seconds, else what the rollout records.
 * @param {Info} info @param {Traffic | undefined} traffic @returns {Part[]}
 */
export function partsOf(info, traffic) {
  const sets = info.replicaSets ?? []
  const [oldRole, newRole] = isCanary(info) ? ['stable', 'canary'] : ['active', 'preview']
  const find = role => sets.find(set => set[role])
  const stats = set => (set && traffic && !traffic.stale ? traffic.byHash[hashOf(set)] : undefined)
  const [oldSet, newSet] = [find(oldRole), find(newRole)]
  const weight = isCanary(info) && newSet ? Number(info.actualWeight ?? 0) : 0
  const rate = set => stats(set)?.requestsPerSecond ?? 0
  // Sets that play no part any more may still serve what is in flight.
  const sum = rate(oldSet) + rate(newSet)
  const served = newSet === undefined ? 0 : sum > 0 ? (100 * rate(newSet)) / sum : weight
  const want = isCanary(info) && newSet ? Number(info.setWeight ?? 0) : 0
  const old = { role: oldRole, letter: oldRole[0].toUpperCase(), share: 100 - served, want: 100 - want }
  const parts = [{ ...old, set: oldSet, stats: stats(oldSet) }]
  if (newSet) {
    parts.push({
      role: newRole,
      letter: newRole[0].toUpperCase(),
      share: served,
      want,
      set: newSet,
      stats: stats(newSet),
    })
  }
  return parts
}

/** Paused and degraded rollouts wait for somebody. @param {Info} info */
export const needsSomebody = info => info.status === 'Degraded' || info.status === 'Paused'

/** What may be pressed now, as in Argo's page. @param {Info} info */
export const mayPress = info => ({
  promote: info.status === 'Progressing' || info.status === 'Paused',
  full: info.status === 'Progressing' || info.status === 'Paused',
  abort: info.status === 'Progressing' || info.status === 'Paused',
  retry: info.status === 'Degraded',
  restart: true,
})

/** One step in a few words. @param {Record<string, any>} step */
export function stepText(step) {
  if (step.setWeight !== undefined) return `${step.setWeight} %`
  if (step.pause)
    return step.pause.duration === undefined ? 'wait for promote' : `wait ${lengthText(step.pause.duration)}`
  if (step.experiment) return 'experiment'
  if (step.analysis) return 'analysis'
  const scale = step.setCanaryScale
  if (scale) {
    if (scale.replicas !== undefined) return `${scale.replicas} canary pods`
    return scale.weight === undefined ? 'canary scale as weight' : `canary scale ${scale.weight} %`
  }
  if (step.setHeaderRoute) return `header route ${step.setHeaderRoute.name ?? ''}`
  if (step.setMirrorRoute) return `mirror route ${step.setMirrorRoute.name ?? ''}`
  return step.plugin ? `plugin ${step.plugin.name ?? ''}` : 'step'
}

/** A bare number counts seconds. @param {string | number} duration */
const lengthText = duration => (/^\d+$/.test(String(duration)) ? `${duration}s` : String(duration))

/** `1.2k`, `12`, `0.4`. @param {number} value */
export const short = value =>
  value >= 1000
    ? `${(value / 1000).toFixed(1)}k`
    : value >= 10 || value === 0
      ? `${Math.round(value)}`
      : value.toFixed(1)

/** A share of 100 with as many places as it needs. @param {number} value */
export const percent = value => `${value > 0 && value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}`

/** Milliseconds for people. @param {number | null | undefined} value */
export const ms = value =>
  value === null || value === undefined ? '–' : value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`
