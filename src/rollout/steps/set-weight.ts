// setWeight: done when the sets have their sizes and no router says that the weight has not arrived.
import * as z from 'zod'
import { defineStep, done } from './step.ts'

export default defineStep({
  name: 'setWeight',
  config: z.int(),

  judge(weight, { isAtDesired, verified }) {
    if (!isAtDesired) return { is: 'waiting', for: `the pods that weight ${weight} needs` }
    if (verified === false) return { is: 'waiting', for: `the router to serve weight ${weight}` }
    return done
  },
})
