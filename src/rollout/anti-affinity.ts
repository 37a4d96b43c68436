// strategy.antiAffinity: keeps the pods of a new version off the nodes of the stable one (argo-behaviour 1.5).
import type { ReplicaSet } from '../api/kube.ts'
import { HASH_LABEL } from './keys.ts'
import type { Observed } from './observe.ts'

type Json = Readonly<Record<string, unknown>>

const HARD = 'requiredDuringSchedulingIgnoredDuringExecution'
const SOFT = 'preferredDuringSchedulingIgnoredDuringExecution'

const recordOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Was this term put there by a rollout's controller? */
function injectedHash(term: unknown): string | undefined {
  const [first] = listOf(recordOf(recordOf(term)['labelSelector'])['matchExpressions'])
  const { key, values } = recordOf(first)
  return key === HASH_LABEL ? String(listOf(values)[0] ?? '') : undefined
}

const termOf = (entry: unknown, isSoft: boolean): unknown => (isSoft ? recordOf(entry)['podAffinityTerm'] : entry)

/** The affinity that the new version's pods get: what the template says, and the rule against the stable version's.
 * Undefined: the template's own is right, since nothing is asked for or nothing else is stable. */
export function wantedAffinity(seen: Observed, affinity: unknown): Json | undefined {
  const { blueGreen, canary } = seen.spec.strategy ?? {}
  const rule = (blueGreen ?? canary)?.antiAffinity
  const stable = seen.status.stableRS ?? ''
  if (!rule || stable === '' || stable === seen.hash) return undefined
  const term = {
    labelSelector: { matchExpressions: [{ key: HASH_LABEL, operator: 'In', values: [stable] }] },
    namespaces: [seen.rollout.metadata.namespace ?? ''],
    topologyKey: 'kubernetes.io/hostname',
  }
  const own = recordOf(recordOf(affinity)['podAntiAffinity'])
  const kept = (name: string) =>
    listOf(own[name]).filter(entry => injectedHash(termOf(entry, name === SOFT)) === undefined)
  const preferred = rule.preferredDuringSchedulingIgnoredDuringExecution
  const added = preferred
    ? { [SOFT]: [...kept(SOFT), { weight: preferred.weight ?? 0, podAffinityTerm: term }] }
    : { [HARD]: [...kept(HARD), term] }
  return { ...recordOf(affinity), podAntiAffinity: { ...own, ...added } }
}

/** The affinity to write into the new set's template because another version has become stable since it was made;
 * undefined: nothing to do. argo: only in the middle of an update; a rule is not taken out again at its end. */
export function outdatedAffinity(seen: Observed, newRS: ReplicaSet): Json | undefined {
  const { stableRS = '', currentPodHash = '' } = seen.status
  if (stableRS === '' || stableRS === currentPodHash) return undefined
  const affinity = recordOf(newRS.spec.template?.spec)['affinity']
  const own = recordOf(recordOf(affinity)['podAntiAffinity'])
  const hashes = [HARD, SOFT].flatMap(name =>
    listOf(own[name]).flatMap(entry => injectedHash(termOf(entry, name === SOFT)) ?? []),
  )
  return hashes.some(hash => hash !== stableRS) ? wantedAffinity(seen, affinity) : undefined
}
