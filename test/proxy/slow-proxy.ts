// A proxy in a process of its own, for tests that ask what it costs. Started by `fork` with the URL of a pod and limits;
// says its port, and on each message what it holds and what it has used.
import { startProxy } from '../../src/proxy/start.ts'
import { only } from './kit.ts'

/** What the process holds, in octets, and what it has used, in milliseconds of processor time. */
export type Cost = Readonly<{ rss: number; held: number; cpu: number }>

const [url = '', limits = '{}'] = process.argv.slice(2)
const running = await startProxy({ seed: 1, table: only(url), limits: JSON.parse(limits) })

/** Microseconds spent on collections for these answers. */
let collecting = 0

process.on('message', () => {
  // Before the collection, which is not to be counted.
  const { user, system } = process.cpuUsage()
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const after = process.cpuUsage()
  collecting += after.user + after.system - user - system
  const { rss, heapUsed, external } = process.memoryUsage()
  const cost: Cost = { rss, held: heapUsed + external, cpu: (after.user + after.system - collecting) / 1000 }
  process.send?.(cost)
})
process.on('disconnect', () => process.exit())
process.send?.(running.port)
