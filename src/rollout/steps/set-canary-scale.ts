// setCanaryScale: done when the sets have the sizes that it asks for; the traffic does not matter.
import * as z from 'zod'
import { defineStep, done } from './step.ts'

export default defineStep({
  name: 'setCanaryScale',
  config: z.looseObject({}),

  judge(_config, { isAtDesired }) {
    return isAtDesired ? done : { is: 'waiting', for: 'the canary pods that setCanaryScale asks for' }
  },
})
