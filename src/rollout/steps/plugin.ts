// plugin: done when its plugin says so; asking it and hearing it is step-plugins.ts.
import * as z from 'zod'
import { isPluginDone } from '../step-plugins.ts'
import { defineStep, done } from './step.ts'

export default defineStep({
  name: 'plugin',
  config: z.looseObject({ name: z.string() }),

  judge({ name }, { seen, plugins }) {
    const index = seen.status.currentStepIndex ?? 0
    if (isPluginDone(plugins, index)) return done
    const phase = plugins.find(one => one.index === index && one.operation === 'Run')?.phase
    return { is: 'waiting', for: phase ? `step plugin ${name}, which is ${phase}` : `step plugin ${name} to answer` }
  },
})
