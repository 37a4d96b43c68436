// A rollout on the screen: once, as data, or redrawn as it changes.
import { compact } from '../view/compact.ts'
import { rolloutInfo } from '../view/rollout-view.ts'
import type { RolloutShape } from '../view/shape.ts'
import { rolloutText } from '../view/text.ts'
import { paintOf } from './colour.ts'
import type { Context } from './command.ts'
import { formatOf, printData } from './output.ts'
import { watch } from './watch.ts'
import { follow, readRollout } from './world.ts'

async function watchRollout(context: Context, name: string): Promise<number> {
  const cluster = await context.kube()
  await readRollout(cluster, name) // not found, no rights: said before a screen is opened
  const { clock, isTty } = context
  const paint = paintOf(context)
  return watch(
    context,
    async changed => {
      const following = await follow(cluster, { clock, changed })
      const info = () => {
        const rollout = following.rollout(name)
        return rollout && rolloutInfo(rollout as unknown as RolloutShape, following.world())
      }
      return {
        draw() {
          const now = info()
          return now && rolloutText(now, clock.now(), paint, isTty ? context.size().rows : undefined)
        },
        key: () => JSON.stringify(compact(info())),
        stop: following.stop,
      }
    },
    Number(context.flags['timeoutSeconds'] ?? 0),
  )
}

/** Carries out `get rollout`; answers the exit code. */
export async function showRollout(context: Context, name: string): Promise<number> {
  const format = formatOf(context)
  if (context.flags['watch'] === true && format === undefined) return watchRollout(context, name)
  const info = await readRollout(await context.kube(), name)
  if (format) await printData(context, format, compact(info), [`rollout.argoproj.io/${name}`])
  else for (const line of rolloutText(info, context.clock.now(), paintOf(context))) context.out(line)
  return 0
}
