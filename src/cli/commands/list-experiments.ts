// list experiments: one line each.
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'List experiments',
  aliases: ['experiment', 'exp'],
  examples: ['list experiments', 'list experiments --all-namespaces'],
  options: command => command.option('-A, --all-namespaces', 'of all namespaces'),

  // The views are loaded when they are needed: help stays instant.
  run: async context => (await import('../show-experiments.ts')).showExperiments(context),
})
