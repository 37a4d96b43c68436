// terminate analysisrun: end a run now; its verdict is what it has measured so far.
import { defineCommand } from '../command.ts'
import { each } from '../each.ts'
import { say } from '../output.ts'

export default defineCommand({
  summary: 'End an analysis run now',
  args: '<analysisrun...>',
  aliases: ['ar', 'analysisruns'],
  examples: ['terminate analysisrun guestbook-877894d5b-4-success-rate.1'],

  run: (context, names) =>
    each(context, names, async name => {
      const run = await (await context.kube()).patch('AnalysisRun', name, { spec: { terminate: true } })
      await say(context, run, `analysisRun '${name}' terminated`)
    }),
})
