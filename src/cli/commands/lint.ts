// lint: what is wrong with manifests, before anybody sends them. Needs no cluster.
import type { RolloutSpec } from '../../api/rollout.ts'
import { UserError } from '../../errors.ts'
import { defineCommand, UsageError } from '../command.ts'
import { errorText } from '../error-text.ts'
import { readManifests, refuseUnknownFields } from '../manifest.ts'

export default defineCommand({
  summary: 'Say what is wrong with manifests, without a cluster',
  examples: ['lint -f rollout.yaml'],
  options: command => command.option('-f, --filename <file...>', 'files to read; - is stdin'),

  async run(context) {
    const files = context.flags['filename'] as readonly string[] | undefined
    if (!files?.length) throw new UsageError('filename')
    const objects = (await Promise.all(files.map(readManifests))).flat()
    const { findSpecProblem } = await import('../../rollout/validate/problem.ts')
    let code = 0
    for (const object of objects) {
      try {
        await refuseUnknownFields(object)
        if (object.kind !== 'Rollout' || !object.apiVersion.startsWith('argoproj.io/')) continue
        const spec = object['spec'] as RolloutSpec
        // The selector of a referenced workload is not in the file.
        const given = spec.workloadRef ? { ...spec, selector: undefined } : spec
        const problem = findSpecProblem(given as RolloutSpec, spec.workloadRef != null)
        if (!problem) continue
        // argo: what is wrong on stdout, and again with its place on stderr
        context.out(problem.message.replace(/^[^:]*: /, ''))
        throw new UserError('', problem.message)
      } catch (error) {
        context.err(errorText(error, context.program))
        code = 1
      }
    }
    return code
  },
})
