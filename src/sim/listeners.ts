// A node whose Pods really listen: every Pod has its own loopback address and an HTTP server behind it.
import type { Millis } from '../contract.ts'
import type { Clock, Random } from '../ports.ts'
import { type Behaviour, behaviourOf } from './behaviour.ts'
import { dialAddress } from './dial.ts'
import type { MakeRuntime } from './kubelet.ts'
import { type Life, lifecycle, type SimPod } from './lifecycle.ts'
import { hookTime } from './pod-command.ts'
import { type PodServer, startPodServer } from './pod-server.ts'
import { startProbe } from './probe.ts'

export type ListenerOptions = Readonly<{
  clock: Clock
  random: Random
  /** How long after it is bound a Pod starts, unless its environment says otherwise; default 500 ms. */
  start?: Millis
  /** How long a deleted Pod still accepts connections, so that routes can forget it; default 300 ms, real time. */
  drain?: Millis
  /** The first Pod's address; the following ones count on. Default: by chance in 10.128.0.0/9. */
  firstAddress?: string
  /** What the Pods log, for `kubectl logs`. */
  log?: (pod: SimPod, line: string) => void
}>

type Seat = {
  readonly behaviour: Behaviour
  ip?: string
  server?: PodServer
  ready: boolean
  stopProbe?: () => void
  /** Set once starting or ending has begun: each happens once. */
  starting?: boolean
  ending?: boolean
  closed?: boolean
  /** Why it does not listen, as of the last attempt. */
  problem?: string
}

const ATTEMPTS = 50

/** Pods with real sockets; for clocks that run by themselves. */
export function listeners(options: ListenerOptions): MakeRuntime {
  const { clock, random, start = 500, drain = 300, log = () => {} } = options
  const addresses = counting(options.firstAddress ?? `10.${128 + Math.floor(random() * 127)}.0.1`)
  const seats = new Map<string, Seat>()

  return wake => {
    const seatOf = (pod: SimPod): Seat => {
      const uid = pod.metadata.uid ?? ''
      const seat = seats.get(uid) ?? { behaviour: behaviourOf(pod.spec.containers[0] ?? {}), ready: false }
      seats.set(uid, seat)
      return seat
    }

    const bring = async (pod: SimPod, seat: Seat) => {
      const declared = pod.spec.containers.flatMap(c => (c.ports ?? []).map(p => p.containerPort))
      const ports = declared.length > 0 ? [...new Set(declared)] : [8080]
      for (let attempt = 0; ; attempt++) {
        const ip = pod.status?.podIP ?? addresses()
        const { host } = dialAddress(ip, 0)
        const sockets = ports.map(port => dialAddress(ip, port).port)
        const line = (text: string) => log(pod, text)
        try {
          const { behaviour } = seat
          const server = await startPodServer({
            host,
            ports: sockets,
            pod: pod.metadata.name,
            behaviour,
            random,
            log: line,
          })
          Object.assign(seat, { ip, server })
          line(`listening on ${ip} (${host}), ports ${ports.join(', ')}`)
          break
        } catch (error) {
          // Somebody else sits on this address: the next one will do, as nobody knows ours yet.
          if ((error as { code?: string }).code !== 'EADDRINUSE' || attempt === ATTEMPTS) throw error
        }
      }
      if (!seats.has(pod.metadata.uid ?? '')) seat.server?.kill()
      else watchReadiness(pod, seat, ports)
      wake(pod.metadata.uid ?? '')
    }

    const watchReadiness = (pod: SimPod, seat: Seat, ports: readonly number[]) => {
      const container = pod.spec.containers[0]
      const probe = container?.readinessProbe
      if (!probe) {
        seat.ready = !seat.behaviour.neverReady
        return
      }
      const wanted = probe.httpGet?.port ?? probe.tcpSocket?.port ?? ports[0]
      const named = container.ports?.find(p => p.name === wanted)?.containerPort
      const target = dialAddress(seat.ip ?? '', named ?? Number(wanted))
      seat.stopProbe = startProbe(probe, target, clock, ready => {
        seat.ready = ready
        log(pod, ready ? 'ready' : 'not ready')
        wake(pod.metadata.uid ?? '')
      })
    }

    const finish = async (pod: SimPod, seat: Seat) => {
      seat.server?.drain()
      const hooks = pod.spec.containers.map(container => hookTime(container.lifecycle?.preStop))
      await new Promise<void>(resolve => clock.at(clock.now() + Math.max(drain, ...hooks), resolve))
      seat.stopProbe?.()
      const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
      const cancel = clock.at(clock.now() + grace * 1000, () => seat.server?.kill())
      await seat.server?.close()
      cancel()
      seat.closed = true
      log(pod, 'ended')
      wake(pod.metadata.uid ?? '')
    }

    return {
      life(pod, since, now) {
        const seat = seatOf(pod)
        const { crashes, startDelay = start } = seat.behaviour
        // An unknown command is what cannot start: the life of a crashing Pod is the same.
        const shown = crashes ? crashing(pod) : pod
        // What has a command runs to its end and serves nobody.
        if ((pod.spec.containers[0]?.command ?? []).length > 0) {
          seat.ip ??= addresses()
          return lifecycle(pod, since, now, { start: startDelay, ip: seat.ip })
        }
        const up = { isUp: seat.server !== undefined, isReady: seat.ready }
        const life = lifecycle(shown, since, now, { start: startDelay, ip: seat.ip, ...up })
        const reason = life.status.containerStatuses?.[0]?.state.waiting?.['reason']
        const isDue = now >= since + startDelay && reason === 'ContainerCreating' && life.again === undefined
        if (isDue && !seat.starting) {
          seat.starting = true
          bring(pod, seat).catch((error: unknown) => {
            seat.problem = `cannot listen: ${error instanceof Error ? error.message : String(error)}`
            log(pod, seat.problem)
            seat.starting = false
            clock.at(clock.now() + 1000, () => wake(pod.metadata.uid ?? ''))
          })
        }
        return seat.server === undefined && seat.problem !== undefined ? held(life, seat.problem) : life
      },
      end(pod, _noticed, now) {
        const seat = seats.get(pod.metadata.uid ?? '')
        if (!seat?.server || seat.closed) return { at: now }
        if (!seat.ending) {
          seat.ending = true
          void finish(pod, seat)
        }
        return {}
      },
      forget(uid) {
        const seat = seats.get(uid)
        seats.delete(uid)
        seat?.stopProbe?.()
        seat?.server?.kill()
      },
      async stop() {
        for (const seat of seats.values()) {
          seat.stopProbe?.()
          seat.server?.kill()
        }
        seats.clear()
      },
    }
  }
}

/** The life of a Pod that is held up, with what holds it up. */
function held(life: Life, problem: string): Life {
  const containerStatuses = life.status.containerStatuses?.map(one =>
    one.state.waiting ? { ...one, state: { waiting: { ...one.state.waiting, message: problem } } } : one,
  )
  return { ...life, status: { ...life.status, ...(containerStatuses ? { containerStatuses } : {}) } }
}

const crashing = (pod: SimPod): SimPod => ({
  ...pod,
  spec: { ...pod.spec, containers: pod.spec.containers.map(c => ({ ...c, command: ['crash'] })) },
})

/** Addresses one after the other; .0 and .255 are left out. */
function counting(first: string): () => string {
  const [a = 10, b = 244, c = 0, d = 1] = first.split('.').map(Number)
  let at = (b << 16) | (c << 8) | d
  return () => {
    while (at % 256 === 0 || at % 256 === 255) at++
    const address = `${a}.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`
    at++
    return address
  }
}
