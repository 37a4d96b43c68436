// Experiments as a table, or as data.
import { experimentLines } from '../view/list.ts'
import type { ExperimentShape } from '../view/shape.ts'
import type { Context } from './command.ts'
import { formatOf, nameOf, printData } from './output.ts'

/** Carries out `list experiments`; answers the exit code. */
export async function showExperiments(context: Context): Promise<number> {
  const everywhere = context.flags['allNamespaces'] === true
  const format = formatOf(context)
  const found = await (await context.kube()).list('Experiment', { everywhere })
  if (format) await printData(context, format, { experiments: found }, found.map(nameOf))
  else if (found.length === 0) context.err('No resources found.')
  else {
    const options = { now: context.clock.now(), namespaces: everywhere }
    for (const line of experimentLines(found as unknown as readonly ExperimentShape[], options)) context.out(line)
  }
  return 0
}
