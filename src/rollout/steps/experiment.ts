// experiment: done when its Experiment is Successful; the others of its ends are judged elsewhere (experiments.ts).
import * as z from 'zod'
import { defineStep, done } from './step.ts'

export default defineStep({
  name: 'experiment',
  config: z.looseObject({}),

  judge(_config, { experimentPhase }) {
    if (experimentPhase === 'Successful') return done
    return {
      is: 'waiting',
      for: experimentPhase ? `the experiment, which is ${experimentPhase}` : 'the experiment to start',
    }
  },
})
