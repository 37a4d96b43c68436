// Tables of the two hashes.
import { podTemplateHash, podTemplateHashStrict } from '../../src/rollout/pod-hash.ts'
import { stepHash, stepHashStrict } from '../../src/rollout/step-hash.ts'
import type { Row, Table } from '../kit/vector-table.ts'

type Strict = ReturnType<typeof podTemplateHashStrict>
const shown = (strict: Strict) => ('hash' in strict ? strict.hash : strict)

/** The strict outcome, and the hash that is really used. */
const want = ({ want, tolerant }: Row) => ({ strict: want, used: tolerant ?? want })

export const podHash: Table = {
  name: 'pod-hash',
  want,
  answer({ template, collisionCount }) {
    const count = collisionCount as number | undefined
    return { strict: shown(podTemplateHashStrict(template, count)), used: podTemplateHash(template, count) }
  },
}

export const stepsHash: Table = {
  name: 'step-hash',
  want,
  answer({ strategy = undefined, steps }) {
    const whole = strategy ?? { canary: { steps } }
    return { strict: shown(stepHashStrict(whole)), used: stepHash(whole) }
  },
}
