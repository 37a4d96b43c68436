// setHeaderRoute: done at once; the route is part of the desired traffic from this step on (traffic.ts).
import * as z from 'zod'
import { defineStep, done } from './step.ts'

export default defineStep({
  name: 'setHeaderRoute',
  config: z.looseObject({ name: z.string().optional() }),

  judge() {
    return done
  },
})
