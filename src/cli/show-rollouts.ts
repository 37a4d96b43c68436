// Rollouts as a table: once, as data, or a line for every change.
import { compact } from '../view/compact.ts'
import { type ListOptions, rolloutLines } from '../view/list.ts'
import { NOTHING, rolloutInfo } from '../view/rollout-view.ts'
import type { RolloutShape } from '../view/shape.ts'
import type { Context } from './command.ts'
import { formatOf, printData } from './output.ts'
import { follow } from './world.ts'

const optionsOf = ({ flags, clock }: Context): ListOptions => ({
  now: clock.now(),
  namespaces: flags['allNamespaces'] === true,
  timestamp: flags['timestamps'] === true,
})

/** The table first, then a line for every rollout that changes, until Ctrl-C. */
async function watchList(context: Context): Promise<number> {
  const { flags, clock } = context
  const stopped = context.stopped()
  const shown = new Map<string, string>()
  const print = (rollouts: readonly RolloutShape[], isFirst: boolean) => {
    const news = rollouts.filter(rollout => {
      const key = `${rollout.metadata.namespace}/${rollout.metadata.name}`
      // The time is no news.
      const line = rolloutLines([rollout], { now: 0, namespaces: true }, false).join()
      if (shown.get(key) === line) return false
      shown.set(key, line)
      return true
    })
    for (const line of rolloutLines(news, optionsOf(context), isFirst)) context.out(line)
  }
  let show: () => void = () => {}
  const everywhere = flags['allNamespaces'] === true
  const name = flags['name']
  const following = await follow(await context.kube(), { everywhere, listOnly: true, clock, changed: () => show() })
  const current = () =>
    following.rollouts().filter(one => name === undefined || one.metadata.name === name) as unknown as RolloutShape[]
  print(current(), true)
  show = () => print(current(), false)
  await new Promise<void>(resolve => {
    if (stopped.aborted) resolve()
    stopped.addEventListener('abort', () => resolve(), { once: true })
  })
  await following.stop()
  return 130
}

/** Carries out `list rollouts`; answers the exit code. */
export async function showRollouts(context: Context): Promise<number> {
  const { flags } = context
  const format = formatOf(context)
  if (flags['watch'] === true && format === undefined) return watchList(context)
  const cluster = await context.kube()
  const name = flags['name'] === undefined ? {} : { name: String(flags['name']) }
  const found = await cluster.list('Rollout', { everywhere: flags['allNamespaces'] === true, ...name })
  const rollouts = found as unknown as readonly RolloutShape[]
  if (format) {
    const names = rollouts.map(({ metadata }) => `rollout.argoproj.io/${metadata.name}`)
    await printData(context, format, { rollouts: rollouts.map(one => compact(rolloutInfo(one, NOTHING))) }, names)
  } else if (rollouts.length === 0) context.err('No resources found.')
  else for (const line of rolloutLines(rollouts, optionsOf(context))) context.out(line)
  return 0
}
