// create -f: makes the rollouts, experiments, templates and runs that files hold.
import { readFile } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import type { KubeObject } from '../../contract.ts'
import { UserError } from '../../errors.ts'
import { defineCommand, UsageError } from '../command.ts'
import { KINDS } from '../connect.ts'
import { nameOf, say } from '../output.ts'

const CREATED = ['Rollout', 'Experiment', 'AnalysisTemplate', 'ClusterAnalysisTemplate', 'AnalysisRun'] as const

/** The documents of a YAML or JSON file; `-` is stdin. Raises UserError PIN1005 on what is no manifest. */
export async function readManifests(file: string): Promise<readonly KubeObject[]> {
  let text: string
  try {
    text = file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as { code?: string }
    // argo: this text, so that scripts that look for it keep working
    throw code === 'ENOENT' ? new Error(`open ${file}: no such file or directory`) : error
  }
  const { parseAllDocuments } = await import('yaml')
  const documents = parseAllDocuments(text)
  return (Array.isArray(documents) ? documents : []).flatMap(document => {
    const problem = document.errors[0]
    if (problem) throw new UserError('PIN1005', `${file}: ${problem.message.split('\n')[0]}`, 'Mend the file.')
    const object: unknown = document.toJS()
    if (object === null) return []
    const { kind, metadata } = object as Partial<KubeObject>
    if (typeof kind === 'string' && typeof metadata === 'object' && metadata !== null) return [object as KubeObject]
    throw new UserError(
      'PIN1005',
      `${file}: a document has no kind or no metadata`,
      'Every document must be an object.',
    )
  })
}

export default defineCommand({
  summary: 'Create rollouts, experiments, analysis templates and runs from files',
  examples: ['create -f rollout.yaml', 'create analysisrun --from my-template'],
  options: command => command.option('-f, --filename <file...>', 'files to create from; - is stdin'),

  async run(context) {
    const files = context.flags['filename'] as readonly string[] | undefined
    if (!files?.length) throw new UsageError('filename')
    const objects = (await Promise.all(files.map(readManifests))).flat()
    for (const { apiVersion, kind } of objects) {
      const known = CREATED.find(one => one === kind)
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
      if (!known || KINDS[known].apiVersion !== apiVersion) throw new Error(`creates of ${group}/${kind} unsupported`)
    }
    const cluster = await context.kube()
    for (const object of objects) {
      const made = await cluster.create(object)
      await say(context, made, `${nameOf(made)} created`)
    }
    return 0
  },
})
