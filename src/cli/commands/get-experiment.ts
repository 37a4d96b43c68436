// get experiment: one experiment with its ReplicaSets and analysis runs.
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'Show an experiment with its ReplicaSets and analysis',
  args: '<experiment>',
  aliases: ['exp', 'experiments'],
  examples: ['get experiment my-experiment', 'get experiment my-experiment --watch'],
  options: command =>
    command
      .option('-w, --watch', 'go on as it changes')
      .option('--timeout-seconds <number>', 'end a watch after so many seconds', '0'),

  // The views are loaded when they are needed: help stays instant.
  run: async (context, [name = '']) => (await import('../show-experiment.ts')).showExperiment(context, name),
})
