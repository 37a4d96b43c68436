// pause: {} waits for a person; pause: {duration: 30s} waits for the clock. Both start when the condition is written.
import * as z from 'zod'
import { pauseSeconds } from '../../api/duration.ts'
import { pauseFor } from '../pauses.ts'
import { defineStep, done } from './step.ts'

export default defineStep({
  name: 'pause',
  config: z.looseObject({ duration: z.union([z.number(), z.string()]).nullish() }),

  judge({ duration }, { seen }, now) {
    const condition = pauseFor(seen.status, 'CanaryPauseStep')
    if (!condition) {
      // A person resumes by clearing the condition while controllerPause is still set: that is the whole protocol.
      if (seen.status.controllerPause) return done
      return { is: 'waiting', for: 'pause to begin', pause: 'CanaryPauseStep' }
    }
    const seconds = pauseSeconds(duration ?? undefined)
    if (seconds === undefined) return { is: 'waiting', for: 'someone to promote' }
    const ends = Date.parse(condition.startTime) + seconds * 1000
    // argo: a pause ends strictly after its time.
    if (now > ends) return done
    return { is: 'waiting', for: `the pause to end at ${new Date(ends).toISOString()}`, recheckAt: ends + 1 }
  },
})
