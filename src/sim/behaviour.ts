// How a simulated container behaves when it really listens: read from its image tag and its environment.
import type { Millis } from '../contract.ts'
import type { SimContainer } from './lifecycle.ts'

export type Behaviour = Readonly<{
  /** The image's tag: what the container answers as its version. */
  version: string
  /** Share of requests that are answered with 500, 0 to 1. */
  errorRate: number
  /** How long an answer takes. */
  latency: Millis
  /** How long the container takes to start; undefined: as the node has it. */
  startDelay?: Millis
  /** Never ready: its readiness probes are answered with 503. */
  neverReady: boolean
  /** The container ends as soon as it starts, again and again. */
  crashes: boolean
}>

const number = (text: string | undefined): number | undefined => {
  const value = Number(text)
  return text === undefined || text === '' || !Number.isFinite(value) || value < 0 ? undefined : value
}

const isTrue = (text: string | undefined): boolean => text === 'true' || text === '1'

/** The words of the tag that mean something: `v2-broken` answers 500 to everything, `-slow` takes half a second, `-crash`
 * crashes, `-unready` is never ready. The environment says it finer: PINTLE_ERROR_RATE (0 to 1), PINTLE_LATENCY_MS,
 * PINTLE_START_DELAY (seconds), PINTLE_NEVER_READY and PINTLE_CRASH (true or 1). */
export function behaviourOf({ image = '', env = [] }: Pick<SimContainer, 'image' | 'env'>): Behaviour {
  const last = image.slice(image.lastIndexOf('/') + 1)
  const version = last.includes(':') ? last.slice(last.indexOf(':') + 1) : 'latest'
  const words = version.split('-')
  const value = (name: string) => env.find(e => e.name === name)?.value
  const delay = number(value('PINTLE_START_DELAY'))
  return {
    version,
    errorRate: Math.min(1, number(value('PINTLE_ERROR_RATE')) ?? (words.includes('broken') ? 1 : 0)),
    latency: number(value('PINTLE_LATENCY_MS')) ?? (words.includes('slow') ? 500 : 0),
    ...(delay !== undefined && { startDelay: delay * 1000 }),
    neverReady: isTrue(value('PINTLE_NEVER_READY')) || words.includes('unready'),
    crashes: isTrue(value('PINTLE_CRASH')) || words.includes('crash'),
  }
}
