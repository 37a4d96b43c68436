// status: waits until a rollout is healthy or degraded, and says so with its exit code.
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'Wait until a rollout is healthy (exit code 0) or degraded (1)',
  args: '<rollout>',
  examples: ['status guestbook', 'status guestbook --timeout 60s', 'status guestbook --watch=false'],
  options: command =>
    command
      .option('-w, --watch', 'wait; the default')
      .option('--no-watch', 'say how it is now, without waiting')
      .option('-t, --timeout <duration>', 'give up after this time; 0 is never', '0s'),

  // The views are loaded when they are needed: help stays instant.
  run: async (context, [name = '']) => (await import('../show-status.ts')).showStatus(context, name),
})
