// list rollouts: one line each, once or as they change.
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'List rollouts',
  aliases: ['rollout', 'ro'],
  examples: ['list rollouts', 'list rollouts --all-namespaces', 'list rollouts --watch'],
  options: command =>
    command
      .option('-A, --all-namespaces', 'of all namespaces')
      .option('-w, --watch', 'go on as they change')
      .option('--name <name>', 'only this one')
      .option('--timestamps', 'put the time in front'),

  // The views are loaded when they are needed: help stays instant.
  run: async context => (await import('../show-rollouts.ts')).showRollouts(context),
})
