// The real process as commands see it: streams, signals, time.
import type { Clock } from '../ports.ts'
import type { Io } from './command.ts'

/** The system's clock; timers do not keep the process alive longer than 24 days at a time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, time - Date.now()), 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

/** Aborts at the first Ctrl-C or SIGTERM; the second one ends the process. */
function onSignals(): AbortSignal {
  const controller = new AbortController()
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(code)
      controller.abort(signal)
    })
  }
  return controller.signal
}

/** The process; `program` is what users call us. A reader that goes away (`| head`) ends us quietly. */
export function processIo(program: string): Io {
  const { stdout, stderr, env } = process
  stdout.on('error', error => process.exit((error as { code?: string }).code === 'EPIPE' ? 0 : 1))
  let stopped: AbortSignal | undefined
  return {
    program,
    write: text => void stdout.write(text),
    complain: text => void stderr.write(text),
    isTty: stdout.isTTY === true && env['TERM'] !== 'dumb',
    // Some pseudo-terminals say that they are 0 by 0.
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    env,
    clock: systemClock,
    whenReplaced: what => void process.on('SIGUSR2', what),
    stopped: () => (stopped ??= onSignals()),
  }
}
