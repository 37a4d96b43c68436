// The status of a rollout: now, or every change until it settles.
import type { KubeObject } from '../contract.ts'
import { clientPhase, type Phase, type PhaseInput } from '../rollout/phase.ts'
import type { Context } from './command.ts'
import { isNotFound } from './connect.ts'
import { durationFlag } from './duration-flag.ts'
import { formatOf, printData } from './output.ts'
import { follow, missing } from './world.ts'

const phaseOf = (rollout: KubeObject): Phase => clientPhase(rollout as unknown as PhaseInput)

const isOver = ({ phase }: Phase): boolean => phase === 'Healthy' || phase === 'Degraded'

const text = ({ phase, message }: Phase): string => (message === '' ? phase : `${phase} - ${message}`)

const degraded = (message: string): Error => new Error(`The rollout is in a degraded state with message: ${message}`)

async function read(context: Context, name: string): Promise<KubeObject> {
  try {
    return await (await context.kube()).get('Rollout', name)
  } catch (error) {
    if (isNotFound(error)) throw missing('rollout', name)
    throw error
  }
}

/** Prints every change until the rollout settles. Raises an Error when `limit` milliseconds (0: none) are over. */
async function wait(context: Context, name: string, limit: number): Promise<Phase | 'stopped'> {
  const { clock } = context
  const stopped = context.stopped()
  let said = ''
  let look: () => void = () => {}
  const following = await follow(await context.kube(), { listOnly: true, clock, changed: () => look() })
  let cancel = () => {}
  try {
    return await new Promise<Phase | 'stopped'>((resolve, reject) => {
      look = () => {
        const rollout = following.rollout(name)
        if (!rollout) return reject(missing('rollout', name))
        const phase = phaseOf(rollout)
        if (text(phase) !== said) context.out(text(phase))
        said = text(phase)
        if (isOver(phase)) resolve(phase)
      }
      look()
      if (limit > 0) {
        cancel = clock.at(clock.now() + limit, () => reject(new Error('Rollout status watch exceeded timeout')))
      }
      if (stopped.aborted) resolve('stopped')
      stopped.addEventListener('abort', () => resolve('stopped'), { once: true })
    })
  } finally {
    look = () => {}
    cancel()
    await following.stop()
  }
}

/** Carries out `status`; answers the exit code. */
export async function showStatus(context: Context, name: string): Promise<number> {
  const limit = durationFlag(context.flags['timeout'])
  const format = formatOf(context)
  const now = phaseOf(await read(context, name))
  if (format) {
    await printData(context, format, now, [`rollout.argoproj.io/${name}`])
  } else if (context.flags['watch'] === false) {
    // argo: without a watch a settled state is printed without its message
    context.out(isOver(now) ? now.phase : text(now))
  } else {
    const phase = await wait(context, name, limit)
    if (phase === 'stopped') return 130
    if (phase.phase === 'Degraded') throw degraded(phase.message)
    return 0
  }
  if (now.phase === 'Degraded') throw degraded(now.message)
  return 0
}
