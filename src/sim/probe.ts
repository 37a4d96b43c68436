// Readiness probes of a simulated node: real requests to the Pod's address, with the numbers of the Pod's probe.
import { get } from 'node:http'
import { connect } from 'node:net'
import type { Clock } from '../ports.ts'
import type { SimContainer } from './lifecycle.ts'

export type Probe = NonNullable<SimContainer['readinessProbe']>
export type Target = Readonly<{ host: string; port: number }>

/** One try; resolves to whether it succeeded, never rejects. HTTP succeeds with 200 to 399. `timeout` in milliseconds. */
export function tryProbe(probe: Probe, target: Target, timeout: number): Promise<boolean> {
  return new Promise(resolve => {
    if (!probe.httpGet) {
      const socket = connect({ ...target, timeout })
      const end = (ok: boolean) => {
        socket.destroy()
        resolve(ok)
      }
      socket.once('connect', () => end(true))
      socket.once('timeout', () => end(false))
      socket.once('error', () => end(false))
      return
    }
    const path = probe.httpGet.path ?? '/'
    const headers = { 'user-agent': 'kube-probe/1.34', connection: 'close' }
    const request = get({ ...target, path, headers, timeout, agent: false }, response => {
      response.resume()
      const status = response.statusCode ?? 0
      resolve(status >= 200 && status < 400)
    })
    request.once('timeout', () => request.destroy())
    request.once('error', () => resolve(false))
  })
}

/** Probes again and again; `changed` is told of every change of mind. The answer stops it. */
export function startProbe(probe: Probe, target: Target, clock: Clock, changed: (ready: boolean) => void): () => void {
  const period = (probe.periodSeconds ?? 10) * 1000
  const timeout = (probe.timeoutSeconds ?? 1) * 1000
  let [successes, failures, ready, stopped] = [0, 0, false, false]

  const once = async () => {
    const ok = await tryProbe(probe, target, timeout)
    if (stopped) return
    successes = ok ? successes + 1 : 0
    failures = ok ? 0 : failures + 1
    const next = ready ? failures < (probe.failureThreshold ?? 3) : successes >= (probe.successThreshold ?? 1)
    if (next !== ready) {
      ready = next
      changed(ready)
    }
    cancel = clock.at(clock.now() + period, () => void once())
  }
  // A real kubelet looks for the first time within the first period; the short wait keeps demos brisk.
  let cancel = clock.at(clock.now() + (probe.initialDelaySeconds ?? 0) * 1000, () => void once())
  return () => {
    stopped = true
    cancel()
  }
}
