// retry experiment: run a finished experiment once more, by forgetting its status.
import { defineCommand } from '../command.ts'
import { each } from '../each.ts'
import { say } from '../output.ts'

export default defineCommand({
  summary: 'Run a finished experiment once more',
  args: '<experiment...>',
  aliases: ['exp', 'experiments'],
  examples: ['retry experiment my-experiment'],

  run: (context, names) =>
    each(context, names, async name => {
      const cluster = await context.kube()
      // Experiments have no status subresource: their status is part of the object.
      const experiment = await cluster.patch('Experiment', name, { status: null })
      await say(context, experiment, `experiment '${name}' retried`)
    }),
})
