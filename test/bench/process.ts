// A process under measurement: its processor time and its greatest size, from /proc.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Clock ticks a second; 100 on every Linux that Node runs on. */
const TICKS = 100

export type Measured = Readonly<{
  /** User and system time so far, seconds. */
  cpu(): number
  /** The greatest resident size so far, MB. */
  peak(): number
  /** Ends it in good order. */
  stop(): Promise<void>
}>

/** Starts a command; its standard error is shown. Raises an Error when it ends by itself while it is measured. */
export function startMeasured(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Measured {
  const child: ChildProcess = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let isWanted = true
  const ended = new Promise<void>(done => {
    child.once('exit', code => {
      done()
      if (isWanted) throw new Error(`${command} ended by itself with code ${code}`)
    })
  })
  const read = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  return {
    cpu() {
      // The name of the command may hold spaces: fields are counted after its bracket.
      const fields = read('stat')
        .replace(/^.*\) /, '')
        .split(' ')
      return (Number(fields[11]) + Number(fields[12])) / TICKS
    },
    peak: () => Number(/VmHWM:\s+(\d+) kB/.exec(read('status'))?.[1] ?? 0) / 1024,
    async stop() {
      isWanted = false
      child.kill('SIGTERM')
      await ended
    },
  }
}
