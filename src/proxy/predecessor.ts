// The process that this one replaces, over the pipe on which it waits for word that this one serves: it tells what it still
// has until it is gone.
import { Socket } from 'node:net'
import { createHeir, type Handed, lowest } from './handed.ts'
import type { Stats } from './stats.ts'

/** A proxy of another version may tell nothing; longer than this, in milliseconds, nobody waits for its first word. */
const FIRST_MS = 2000

export type Predecessor = Readonly<{
  /** From now on what it has counts here too. */
  follow(stats: Pick<Stats, 'inherit'>): void
  /** Generations that both have in force: a table is served when the one that leaves serves it too. */
  lowered(applied: Handed['applied']): Handed['applied']
  /** Says that this process serves. */
  ready(): void
  /** Resolves when it is gone. Keeps the process until then. */
  gone(): Promise<void>
}>

/** Listens on the pipe `fd`. Resolves with its first word, which comes before this process answers anybody. */
export async function hearPredecessor(fd: number): Promise<Predecessor> {
  const pipe = new Socket({ fd, readable: true, writable: true })
  const first = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const early: Handed[] = []
  let heir: ReturnType<typeof createHeir> | undefined
  let applied: Handed['applied'] | undefined
  let rest = ''
  const take = (line: string): void => {
    const handed = handedIn(line)
    if (handed === undefined) return
    applied = handed.applied
    if (heir) heir.take(handed)
    else early.push(handed)
    first.resolve()
  }
  pipe.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  pipe.on('error', () => {})
  pipe.once('close', () => {
    applied = undefined
    heir?.end()
    early.length = 0
    first.resolve()
    gone.resolve()
  })
  const timer = setTimeout(first.resolve, FIRST_MS)
  await first.promise
  clearTimeout(timer)
  pipe.unref()
  return {
    follow(stats) {
      heir = createHeir(stats)
      for (const handed of early.splice(0)) heir.take(handed)
    },
    lowered: own => (applied === undefined ? own : lowest(own, applied)),
    ready: () => void pipe.write('ready\n'),
    gone() {
      pipe.ref()
      return gone.promise
    },
  }
}

/** A line of another version, which may say something else, is passed over. */
function handedIn(line: string): Handed | undefined {
  try {
    const handed = JSON.parse(line) as Partial<Handed>
    return handed.applied && handed.series ? (handed as Handed) : undefined
  } catch {
    return undefined
  }
}
