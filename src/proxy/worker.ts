// A thread that serves: does what `workers.ts` says, and shares its counters with it.
import { parentPort, workerData } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { Backend } from './endpoints.ts'
import type { Blown } from './fuse.ts'
import type { SeriesName } from './series.ts'
import { openServing, type Serving, type Setup } from './serving.ts'
import { createStats, type Series } from './stats.ts'
import { countStrays } from './strays.ts'
import type { RouteTable } from './table.ts'

/** `strays`: memory for their counts. */
export type WorkerSetup = Setup & Readonly<{ strays: SharedArrayBuffer }>

export type ToWorker =
  | Readonly<{ is: 'table'; table: RouteTable; backends: readonly (readonly [string, Backend])[] }>
  | Readonly<{ is: 'drain' | 'endTunnels' | 'stop' | 'abort' | 'close' | 'closePorts' | 'sockets' }>

export type FromWorker =
  | Readonly<{ is: 'open'; port: number }>
  | Readonly<{ is: 'failed'; code: string; message: string; hint: string }>
  | (Readonly<{ is: 'series'; memory: SharedArrayBuffer; target: string }> & SeriesName)
  | Readonly<{ is: 'problems'; problems: readonly string[]; blown: readonly Blown[] }>
  /** `problems`: what the thread answers; of `sockets`, JSON. */
  | Readonly<{ is: 'done'; id: number; problems: readonly string[] }>

const setup = workerData as WorkerSetup
const say = (message: FromWorker): void => parentPort?.postMessage(message)

const share = ({ route, role, hash, memory, target }: Series): void =>
  say({ is: 'series', route, role, hash, memory, target })
// The target of a series is set when it is begun; it is told then.
const stats = createStats(Date.now, share, countStrays(setup.strays))

try {
  const serving = await openServing(setup, stats)
  let told = ''
  setInterval(() => {
    const message = { is: 'problems', problems: serving.problems(), blown: serving.blown() } as const
    const text = JSON.stringify(message)
    if (text === told) return
    told = text
    say(message)
  }, 250).unref()
  parentPort?.on('message', async (message: ToWorker & { id: number }) => {
    const problems = await obey(serving, message)
    if (message.id > 0) say({ is: 'done', id: message.id, problems })
  })
  say({ is: 'open', port: serving.port })
} catch (error) {
  const { code = 'PIN4003', message, hint = '' } = error instanceof UserError ? error : { message: String(error) }
  say({ is: 'failed', code, message, hint })
}

async function obey(serving: Serving, message: ToWorker): Promise<readonly string[]> {
  switch (message.is) {
    case 'table': {
      const backends = new Map(message.backends)
      return serving.use(
        message.table,
        (service, port) =>
          backends.get(`${service} ${port ?? ''}`) ?? { endpoints: [], problem: `nothing resolves Service ${service}` },
      )
    }
    case 'stop':
      await serving.stop()
      return []
    case 'sockets':
      return [JSON.stringify(await serving.sockets())]
    case 'close':
      await serving.close()
      return []
    default:
      serving[message.is]()
      return []
  }
}
