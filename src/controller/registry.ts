// Loads folders of one-file things (steps, routers, metric providers) and fails loudly on a bad one.
import { readdir } from 'node:fs/promises'
import type { Provider, Providers } from '../analysis/measure.ts'
import type { StepPlugin, TrafficRouter } from '../contract.ts'
import type { Known } from '../rollout/plan.ts'
import type { Step } from '../rollout/steps/step.ts'

type Named = Readonly<{ name: string }>

/** The default exports of all files in a folder by their name; files that begin with `_` are shared code, those in
 * `skip` are contracts. Throws an Error that names the file when one is not such a thing or a name is taken. */
export async function loadFolder<T extends Named>(
  folder: URL,
  fields: readonly string[],
  skip: readonly string[] = [],
) {
  const found: Record<string, T> = {}
  const names = (await readdir(folder)).filter(file => /\.(ts|js)$/.test(file) && !file.endsWith('.d.ts'))
  for (const file of names.toSorted()) {
    if (file.startsWith('_') || skip.includes(file.replace(/\.\w+$/, ''))) continue
    const thing = ((await import(new URL(file, folder).href)) as { default?: T }).default
    const missing = ['name', ...fields].filter(
      field => (thing as Record<string, unknown> | undefined)?.[field] === undefined,
    )
    if (!thing || missing.length > 0) throw new Error(`${file}: its default export lacks ${missing.join(', ')}`)
    if (found[thing.name]) throw new Error(`${file}: the name ${thing.name} is taken by another file`)
    found[thing.name] = thing
  }
  return found as Readonly<Record<string, T>>
}

/** The steps, routers and step plugins that the planner may use. */
export async function loadKnown(): Promise<Known> {
  const [steps, routers, plugins] = await Promise.all([
    loadFolder<Step<unknown>>(new URL('../rollout/steps/', import.meta.url), ['config', 'judge'], ['step']),
    loadFolder<TrafficRouter<unknown>>(new URL('../../adapters/traffic/', import.meta.url), [
      'config',
      'plan',
      'reads',
    ]),
    loadFolder<StepPlugin<unknown>>(new URL('../../adapters/steps/', import.meta.url), ['config', 'request', 'parse']),
  ])
  return { steps, routers, plugins }
}

/** The metric providers that the analysis may use. Throws an Error for one that can neither ask nor make objects. */
export async function loadProviders(): Promise<Providers> {
  const folder = new URL('../../adapters/metrics/', import.meta.url)
  const providers = await loadFolder<Provider>(folder, ['config'])
  for (const provider of Object.values(providers)) {
    const needed = 'object' in provider ? ['kind', 'metadata', 'nameOf', 'read'] : ['request', 'parse']
    const missing = needed.filter(field => !(field in provider))
    if (missing.length > 0) throw new Error(`metric provider ${provider.name} lacks ${missing.join(', ')}`)
  }
  return providers
}
