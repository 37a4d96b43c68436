// Wires between a controller and its API server that may go dead.
import type { Transport } from '../../src/ports.ts'

/** A wire that may go dead; a new controller is started on the next one then. */
export type Wire = Transport & Readonly<{ isDead(): boolean }>

/** A wire that never does. */
export const sound = (inner: Transport): Wire => Object.assign({ isDead: () => false }, inner)

/** A wire that goes dead at the n-th write: nothing is answered any more. `heard`: the server still carries it out. */
export function mortal(inner: Transport, dieAt: number, heard: boolean): Wire {
  let writes = 0
  let isDead = false
  const never = new Promise<never>(() => {})
  return {
    isDead: () => isDead,
    async request(request) {
      if (isDead) return never
      if (request.method !== 'GET') writes += 1
      if (writes < dieAt || request.method === 'GET') return await inner.request(request)
      isDead = true
      if (heard) await inner.request(request)
      return never
    },
    stream: request => (isDead ? never : inner.stream(request)),
  }
}
