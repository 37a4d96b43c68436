// create -f: makes the rollouts, experiments, templates and runs that files hold.
import { defineCommand, UsageError } from '../command.ts'
import { KINDS } from '../connect.ts'
import { readManifests, refuseUnknownFields } from '../manifest.ts'
import { nameOf, say } from '../output.ts'

const CREATED = ['Rollout', 'Experiment', 'AnalysisTemplate', 'ClusterAnalysisTemplate', 'AnalysisRun'] as const

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
    for (const object of objects) await refuseUnknownFields(object)
    const cluster = await context.kube()
    for (const object of objects) {
      const made = await cluster.create(object)
      await say(context, made, `${nameOf(made)} created`)
    }
    return 0
  },
})
