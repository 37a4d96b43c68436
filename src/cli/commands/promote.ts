// promote: let a paused rollout go on, or skip what is left of it.
import { planPromote } from '../../rollout/promote.ts'
import { defineCommand } from '../command.ts'
import { carryOut } from '../verb.ts'

const DEPRECATED: Readonly<Record<string, string>> = {
  skipCurrentStep:
    'Flag --skip-current-step has been deprecated, use without the flag instead ex: promote ROLLOUT_NAME',
  skipAllSteps: 'Flag --skip-all-steps has been deprecated, use --full instead',
}

export default defineCommand({
  summary: 'Promote a rollout: end its pause, or skip all that is left of the update',
  args: '<rollout>',
  examples: ['promote guestbook', 'promote guestbook --full'],
  options: command =>
    command
      .option('--full', 'skip remaining steps, pauses and analysis')
      .addOption(command.createOption('-c, --skip-current-step', 'skip the current step').hideHelp())
      .addOption(command.createOption('-a, --skip-all-steps', 'skip all steps').hideHelp()),

  async run(context, [name = '']) {
    const { full, skipCurrentStep, skipAllSteps } = context.flags
    for (const [flag, text] of Object.entries(DEPRECATED)) if (context.flags[flag] === true) context.err(text)
    const isFull = full === true
    const options = isFull
      ? { full: true }
      : { skipCurrentStep: skipCurrentStep === true, skipAllSteps: skipAllSteps === true }
    const sentence = `rollout '${name}' ${isFull ? 'fully promoted' : 'promoted'}`
    await carryOut(context, name, rollout => planPromote(rollout, options), sentence)
    return 0
  },
})
