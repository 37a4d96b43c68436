// get rollout: one rollout with its revisions, pods, experiments and analysis runs, once or as it changes.
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'Show a rollout with its revisions, pods and analysis',
  args: '<rollout>',
  aliases: ['ro', 'rollouts'],
  examples: ['get rollout guestbook', 'get rollout guestbook --watch', 'get rollout guestbook -o json'],
  options: command =>
    command
      .option('-w, --watch', 'go on as it changes')
      .option('--timeout-seconds <number>', 'end a watch after so many seconds', '0'),

  // The views are loaded when they are needed: help stays instant.
  run: async (context, [name = '']) => (await import('../show-rollout.ts')).showRollout(context, name),
})
