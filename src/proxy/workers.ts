// Several threads that serve as one: they listen on one port, which the kernel spreads connections over; each has a table,
// a choice and connections of its own. Tables go to all of them and are in force when all say so; counters lie in memory
// that this thread reads.
import { Worker } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import { compile, type Memory, type Resolve, type Snapshot } from './compile.ts'
import type { Backend } from './endpoints.ts'
import type { Blown } from './fuse.ts'
import type { Inherited } from './inherited.ts'
import { openServing, type Serving, type Setup } from './serving.ts'
import { keyOf, nameOf, recentOf, reportOf, Series, type Stats } from './stats.ts'
import { countStrays, type Strays, strayMemory, sumStrays } from './strays.ts'
import { parseTable, type RouteTable } from './table.ts'
import { servicesOf } from './version-pods.ts'
import type { FromWorker, ToWorker, WorkerSetup } from './worker.ts'

/** Starts so many threads. `given`: sockets that listen already, one for each thread. Raises UserError as `openServing`
 * does. */
export async function openWorkers(count: number, setup: Setup, given: readonly number[] = []): Promise<Serving> {
  // A port of somebody else must not be shared by accident: the first try is without sharing.
  if (!setup.listen.reusePort && setup.listen.port !== 0 && given.length === 0) await (await openServing(setup)).close()
  const counters = mergedStats()
  const first = await startThread(setup, 0, setup.listen.port, counters, given)
  const { port } = first
  const rest = Array.from({ length: count - 1 }, (_, i) => startThread(setup, i + 1, port, counters, given))
  const threads = [first, ...(await Promise.all(rest))]
  const memory: Memory = { seed: 0, lags: new Map() }
  let snapshot: Snapshot = compile(parseTable({}, 'nothing'), memory)
  let newest = 0
  const tell = (message: ToWorker): void => {
    for (const thread of threads) thread.tell(message)
  }
  const ask = (message: ToWorker): Promise<readonly string[]> =>
    Promise.all(threads.map(thread => thread.ask(message))).then(all => [...new Set(all.flat())])
  return {
    port,
    async sockets() {
      const all = (await Promise.all(threads.map(thread => thread.ask({ is: 'sockets' })))).flat()
      const each = all.map(text => JSON.parse(text) as Pick<Inherited, 'main' | 'ports'>)
      const numbers = new Set(each.flatMap(one => Object.keys(one.ports)))
      const ports = [...numbers].map(at => [at, each.flatMap(one => one.ports[at] ?? [])] as const)
      return { main: each.flatMap(one => one.main), ports: Object.fromEntries(ports) }
    },
    closePorts: () => tell({ is: 'closePorts' }),
    stats: counters.stats,
    isImmediate: false,
    snapshot: () => snapshot,
    async use(table, resolve) {
      const mine = ++newest
      const next = compile(table, memory, resolve)
      const problems = await ask({ is: 'table', table, backends: backendsOf(table, resolve) })
      if (mine === newest) snapshot = next
      counters.stats.keep(next.routes)
      return problems
    },
    drain: () => tell({ is: 'drain' }),
    endTunnels: () => tell({ is: 'endTunnels' }),
    async stop() {
      await ask({ is: 'stop' })
    },
    abort: () => tell({ is: 'abort' }),
    async close() {
      await ask({ is: 'close' })
      await Promise.all(threads.map(thread => thread.end()))
    },
    problems: () => [...new Set(threads.flatMap(thread => thread.problems()))],
    blown: () => threads.flatMap(thread => thread.blown()),
  }
}

/** What the Services of a table come to: threads have no cluster to ask. */
function backendsOf(table: RouteTable, resolve: Resolve | undefined): readonly (readonly [string, Backend])[] {
  const backends = new Map<string, Backend>()
  for (const { dests } of table.routes)
    for (const { upstream } of dests)
      if (typeof upstream !== 'string' && resolve)
        for (const service of servicesOf(upstream))
          backends.set(`${service} ${upstream.port ?? ''}`, resolve(service, upstream.port))
  return [...backends]
}

type Thread = Readonly<{
  port: number
  tell(message: ToWorker): void
  /** Resolves with the thread's answer; at once when it has ended. */
  ask(message: ToWorker): Promise<readonly string[]>
  problems(): readonly string[]
  blown(): readonly Blown[]
  end(): Promise<unknown>
}>

function startThread(
  setup: Setup,
  index: number,
  port: number,
  counters: Merged,
  given: readonly number[],
): Promise<Thread> {
  const { fd: _fd, ...address } = setup.listen
  const fd = given[index]
  const own: WorkerSetup = {
    ...setup,
    listen: { ...address, port, reusePort: true, ...(fd === undefined ? {} : { fd }) },
    givenPorts: Object.fromEntries(
      Object.entries(setup.givenPorts ?? {}).map(([at, fds]) => [at, fds.slice(index, index + 1)]),
    ),
    // Choices must not move in step.
    seed: (setup.seed + Math.imul(index, 0x9e3779b9)) >>> 0,
    strays: counters.strays(),
  }
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
  const worker = new Worker(new URL(file, import.meta.url), { workerData: own, execArgv: [] })
  let asked = 0
  let problems: readonly string[] = []
  let blown: readonly Blown[] = []
  let isOpen = false
  let isOver = false
  const waiting = new Map<number, (problems: readonly string[]) => void>()
  return new Promise((done, fail) => {
    const thread = (at: number): Thread => ({
      port: at,
      tell: message => worker.postMessage({ ...message, id: 0 }),
      ask: message =>
        new Promise(heard => {
          if (isOver) heard([])
          const id = ++asked
          waiting.set(id, heard)
          worker.postMessage({ ...message, id })
        }),
      problems: () => problems,
      blown: () => blown,
      end: () => worker.terminate(),
    })
    worker.on('message', (message: FromWorker) => {
      if (message.is === 'open') {
        isOpen = true
        done(thread(message.port))
      } else if (message.is === 'failed') fail(new UserError(message.code, message.message, message.hint))
      else if (message.is === 'series') counters.add(new Series(message, message.memory), message.target)
      else if (message.is === 'problems') {
        problems = message.problems
        blown = message.blown
      } else {
        waiting.get(message.id)?.(message.problems)
        waiting.delete(message.id)
      }
    })
    worker.on('error', error => {
      // A thread that fell over takes the process with it: whoever restarts it has all threads again.
      if (isOpen) throw error
      fail(error)
    })
    worker.on('exit', () => {
      isOver = true
      for (const heard of waiting.values()) heard([])
    })
  })
}

type Merged = Readonly<{
  stats: Stats
  add(series: Series, target: string): void
  /** Memory for one more thread's counts of strays. */
  strays(): SharedArrayBuffer
}>

/** Counters of all threads, summed as they are read. */
function mergedStats(now: () => number = Date.now): Merged {
  const parts = new Map<string, Series[]>()
  const inherited = new Map<string, Series>()
  const strays: Strays[] = []
  const sumOf = (all: readonly Series[], of: ConstructorParameters<typeof Series>[0]): Series => {
    const sum = new Series(of)
    for (const one of all) {
      sum.add(one)
      sum.target = one.target
    }
    return sum
  }
  const partsOf = ({ route, role, hash }: Series): readonly Series[] => parts.get(keyOf(route, role, hash)) ?? []
  const every = (): Series[] => [...parts.values()].flat()
  return {
    stats: {
      of(route, dest) {
        const name = nameOf(route, dest)
        const sum = sumOf(parts.get(keyOf(name.route, name.role, name.hash)) ?? [], name)
        sum.target = dest.target
        return sum
      },
      inherit(name) {
        const key = keyOf(name.route, name.role, name.hash)
        const known = inherited.get(key)
        if (known) return known
        const fresh = new Series(name)
        fresh.began = now()
        inherited.set(key, fresh)
        parts.set(key, [...(parts.get(key) ?? []), fresh])
        return fresh
      },
      begin() {},
      move() {},
      end() {},
      all: () => [...parts.values()].map(all => sumOf(all, all[0]!)),
      report: (route, seconds, isWhole) => reportOf(every(), route, seconds, now(), isWhole),
      recent: (series, seconds) => recentOf(partsOf(series), seconds, now()),
      keep() {},
      strays: sumStrays(strays),
    },
    add(series, target) {
      series.target = target
      const key = keyOf(series.route, series.role, series.hash)
      parts.set(key, [...(parts.get(key) ?? []), series])
    },
    strays() {
      const memory = strayMemory()
      strays.push(countStrays(memory))
      return memory
    },
  }
}
