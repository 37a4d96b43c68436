// retry rollout: start an aborted update again.
import { planRetry } from '../../rollout/retry.ts'
import { defineCommand } from '../command.ts'
import { each } from '../each.ts'
import { carryOut } from '../verb.ts'

export default defineCommand({
  summary: 'Start an aborted update again, from its first step',
  aliases: ['ro', 'rollouts'],
  args: '<rollout...>',
  examples: ['retry rollout guestbook'],

  run: (context, names) =>
    each(context, names, name => carryOut(context, name, planRetry, `rollout '${name}' retried`)),
})
