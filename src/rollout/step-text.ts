// The text of a canary step, as events and tools show it.

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined

const isSet = (value: unknown): boolean => value !== undefined && value !== null

function scaleText(scale: Fields | undefined): string | undefined {
  if (isSet(scale?.['weight'])) return `setCanaryScale{weight: ${scale?.['weight']}}`
  if (scale?.['matchTrafficWeight']) return 'setCanaryScale{matchTrafficWeight: true}'
  if (isSet(scale?.['replicas'])) return `setCanaryScale{replicas: ${scale?.['replicas']}}`
  return undefined
}

/** What a step does, in one line; `invalid` when it says nothing. Of several members the first in this order counts. */
export function stepText(step: unknown): string {
  const is = fieldsOf(step) ?? {}
  if (isSet(is['setWeight'])) return `setWeight: ${is['setWeight']}`
  const pause = fieldsOf(is['pause'])
  if (pause) return isSet(pause['duration']) ? `pause: ${pause['duration']}` : 'pause'
  if (isSet(is['experiment'])) return 'experiment'
  if (isSet(is['analysis'])) return 'analysis'
  const scale = scaleText(fieldsOf(is['setCanaryScale']))
  if (scale) return scale
  for (const kind of ['plugin', 'setHeaderRoute', 'setMirrorRoute']) {
    const named = fieldsOf(is[kind])
    if (named) return `${kind}: ${named['name'] ?? ''}`
  }
  return 'invalid'
}
