// maxSurge and maxUnavailable as counts of pods.
import { canaryOf, type SpecShape, wantedReplicas } from './shape.ts'

type Limits = Readonly<{ surge: number; unavailable: number }>

/** Pods that a limit allows out of `replicas`; undefined when the text cannot be read.
 * argo: text is a percentage whether or not it ends in `%`. */
function resolve(limit: unknown, replicas: number, round: (value: number) => number): number | undefined {
  if (typeof limit === 'number') return limit
  if (typeof limit !== 'string') return 0
  const digits = limit.replaceAll('%', '')
  return /^[+-]?\d+$/.test(digits) ? round((Number(digits) * replicas) / 100) : undefined
}

function limits(spec: SpecShape): Limits {
  const replicas = wantedReplicas(spec)
  const blueGreen = spec.strategy?.blueGreen
  const canary = canaryOf(spec)
  const surge = resolve(blueGreen ? 0 : (canary.maxSurge ?? '25%'), replicas, Math.ceil)
  const unavailable = resolve((blueGreen ?? canary).maxUnavailable ?? '25%', replicas, Math.floor)
  // argo: one limit that cannot be read makes both zero.
  if (surge === undefined || unavailable === undefined) return { surge: 0, unavailable: 0 }
  // Both zero would leave a canary no room to move at all.
  const lifted = !blueGreen && surge === 0 && unavailable === 0 ? 1 : unavailable
  return { surge, unavailable: replicas === 0 ? 0 : Math.min(lifted, replicas) }
}

/** Pods allowed above spec.replicas (>= 0; always 0 for blue-green). */
export const maxSurge = (spec: SpecShape): number => limits(spec).surge

/** Pods that may be missing from spec.replicas, at most spec.replicas. */
export const maxUnavailable = (spec: SpecShape): number => limits(spec).unavailable
