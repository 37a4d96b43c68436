// terminate experiment: end an experiment now and scale its ReplicaSets down.
import { defineCommand } from '../command.ts'
import { each } from '../each.ts'
import { say } from '../output.ts'

export default defineCommand({
  summary: 'End an experiment now',
  args: '<experiment...>',
  aliases: ['exp', 'experiments'],
  examples: ['terminate experiment my-experiment'],

  run: (context, names) =>
    each(context, names, async name => {
      const experiment = await (await context.kube()).patch('Experiment', name, { spec: { terminate: true } })
      await say(context, experiment, `experiment '${name}' terminated`)
    }),
})
