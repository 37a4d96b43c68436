// analysis: done when the step's AnalysisRun is Successful; a failed one aborts elsewhere (runs.ts).
import * as z from 'zod'
import { defineStep, done } from './step.ts'

export default defineStep({
  name: 'analysis',
  config: z.looseObject({}),

  judge(_config, { runPhase }) {
    if (runPhase === 'Successful') return done
    return { is: 'waiting', for: runPhase ? `the analysis, which is ${runPhase}` : 'the analysis to start' }
  },
})
