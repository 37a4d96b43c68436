// A proxy in a process of its own, for tests that ask what it costs. Started by `fork` with its options as JSON;
// says its port, and on each message what it holds and what it has used.
import { setTimeout as sleep } from 'node:timers/promises'
import { type ProxyOptions, startProxy } from '../../src/proxy/start.ts'

/** What the process holds, in octets, and what it has used, in milliseconds of processor time. */
export type Cost = Readonly<{ rss: number; held: number; cpu: number }>

const running = await startProxy({ seed: 1, ...(JSON.parse(process.argv[2] ?? '{}') as ProxyOptions) })

/** Microseconds spent on collections for these answers. */
let collecting = 0

/** Collects, and says what is held then. Buffers are given back by a thread beside, some time after they were found dead. */
async function collected(): Promise<number> {
  let held = Number.POSITIVE_INFINITY
  for (let last = Number.POSITIVE_INFINITY, same = 0; same < 3; last = held) {
    const { user, system } = process.cpuUsage()
    globalThis.gc?.()
    const after = process.cpuUsage()
    collecting += after.user + after.system - user - system
    await sleep(10)
    const { heapUsed, external } = process.memoryUsage()
    held = heapUsed + external
    same = held < last - 64 * 1024 ? 0 : same + 1
  }
  return held
}

process.on('message', async () => {
  // Before the collections, which are not to be counted.
  const { user, system } = process.cpuUsage()
  const cpu = (user + system - collecting) / 1000
  const held = await collected()
  const cost: Cost = { rss: process.memoryUsage.rss(), held, cpu }
  process.send?.(cost)
})
process.on('disconnect', () => process.exit())
process.send?.(running.port)
