// pause: hold a rollout where it stands.
import { planPause } from '../../rollout/pause.ts'
import { defineCommand } from '../command.ts'
import { each } from '../each.ts'
import { carryOut } from '../verb.ts'

export default defineCommand({
  summary: 'Pause a rollout until it is promoted',
  args: '<rollout...>',
  examples: ['pause guestbook'],

  run: (context, names) => each(context, names, name => carryOut(context, name, planPause, `rollout '${name}' paused`)),
})
