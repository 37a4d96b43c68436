// abort: back to the stable revision.
import { planAbort } from '../../rollout/abort.ts'
import { defineCommand } from '../command.ts'
import { each } from '../each.ts'
import { carryOut } from '../verb.ts'

export default defineCommand({
  summary: 'Abort an update: all traffic and pods back to the stable revision',
  args: '<rollout...>',
  examples: ['abort guestbook'],

  run: (context, names) =>
    each(context, names, name => carryOut(context, name, planAbort, `rollout '${name}' aborted`)),
})
