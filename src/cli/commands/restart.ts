// restart: replace the pods of a rollout, a few at a time, now or later.
import { planRestart } from '../../rollout/restart.ts'
import { defineCommand } from '../command.ts'
import { durationFlag } from '../duration-flag.ts'
import { each } from '../each.ts'
import { carryOut } from '../verb.ts'

export default defineCommand({
  summary: 'Replace the pods of a rollout, a few at a time',
  args: '<rollout...>',
  examples: ['restart guestbook', 'restart guestbook --in 10s'],
  options: command => command.option('-i, --in <duration>', 'wait that long first'),

  run(context, names) {
    const { in: wait } = context.flags
    const delay = durationFlag(wait)
    const plan = () => planRestart(context.clock.now(), delay)
    const when = wait === undefined ? '0s' : String(wait)
    return each(context, names, name => carryOut(context, name, plan, `rollout '${name}' restarts in ${when}`))
  },
})
