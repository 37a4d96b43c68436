// An experiment on the screen: once, as data, or redrawn as it changes.
import { compact } from '../view/compact.ts'
import { experimentInfo } from '../view/experiment-view.ts'
import type { ExperimentShape } from '../view/shape.ts'
import { experimentText } from '../view/text.ts'
import { paintOf } from './colour.ts'
import type { Cluster, Context } from './command.ts'
import { isNotFound } from './connect.ts'
import { formatOf, printData } from './output.ts'
import { watch } from './watch.ts'
import { follow, missing, readWorld } from './world.ts'

async function read(cluster: Cluster, name: string) {
  try {
    const [experiment, world] = await Promise.all([cluster.get('Experiment', name), readWorld(cluster)])
    return experimentInfo(experiment as unknown as ExperimentShape, world)
  } catch (error) {
    if (isNotFound(error)) throw missing('experiment', name)
    throw error
  }
}

/** Carries out `get experiment`; answers the exit code. */
export async function showExperiment(context: Context, name: string): Promise<number> {
  const { clock, flags } = context
  const format = formatOf(context)
  const cluster = await context.kube()
  const info = await read(cluster, name)
  const paint = paintOf(context)
  if (format) {
    await printData(context, format, compact(info), [`experiment.argoproj.io/${name}`])
    return 0
  }
  if (flags['watch'] !== true) {
    for (const line of experimentText(info, clock.now(), paint)) context.out(line)
    return 0
  }
  return watch(
    context,
    async changed => {
      const following = await follow(cluster, { clock, changed })
      const now = () => {
        const world = following.world()
        const experiment = world.experiments.find(one => one.metadata.name === name)
        return experiment && experimentInfo(experiment, world)
      }
      return {
        draw() {
          const shown = now()
          return shown && experimentText(shown, clock.now(), paint)
        },
        key: () => JSON.stringify(compact(now())),
        stop: following.stop,
      }
    },
    Number(flags['timeoutSeconds'] ?? 0),
  )
}
