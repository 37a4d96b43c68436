// Watch mode: draws at most five times a second as things change, and on a terminal every second for the ages.
import type { Millis } from '../contract.ts'
import type { Context } from './command.ts'
import { openScreen } from './screen.ts'

const LEAST: Millis = 200
const TICK: Millis = 1000

export type Watched = Readonly<{
  /** The picture now; undefined: what was watched is gone. */
  draw(): readonly string[] | undefined
  /** What the picture depends on, less the ages: another text is a change. */
  key(): string
}>

/** Starts following; gets what to call on every change, answers the picture and how to stop. */
export type StartWatch = (changed: () => void) => Promise<Watched & Readonly<{ stop(): Promise<void> }>>

/** Draws until Ctrl-C, `seconds` are over, or the object is gone. Exit code 0; 130 after Ctrl-C. */
export async function watch(context: Context, start: StartWatch, seconds = 0): Promise<number> {
  const { clock, isTty } = context
  const stopped = context.stopped()
  const cancels = new Set<() => void>()
  const after = (delay: Millis, run: () => void) => {
    const cancel = clock.at(clock.now() + delay, () => {
      cancels.delete(cancel)
      run()
    })
    cancels.add(cancel)
  }

  let end: (code: number) => void = () => {}
  const ended = new Promise<number>(resolve => (end = resolve))
  let isDue = false
  let redraw: () => void = () => {}
  const changed = () => {
    if (isDue) return
    isDue = true
    after(LEAST, () => redraw())
  }

  const watched = await start(changed)
  const screen = openScreen(context)
  let key: string | undefined
  redraw = () => {
    isDue = false
    const lines = watched.draw()
    if (!lines) return end(0)
    if (!isTty && watched.key() === key) return
    key = watched.key()
    screen.show(lines)
  }
  const tick = () => {
    redraw()
    after(TICK, tick)
  }
  if (isTty) tick()
  else redraw()
  if (seconds > 0) after(seconds * 1000, () => end(0))
  const stop = () => end(130)
  if (stopped.aborted) stop()
  stopped.addEventListener('abort', stop)

  try {
    return await ended
  } finally {
    stopped.removeEventListener('abort', stop)
    for (const cancel of cancels) cancel()
    screen.close()
    await watched.stop()
  }
}
