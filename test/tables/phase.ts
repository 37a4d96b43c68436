// Tables of what people read: phase, message, the text of a step.
import { calculatedPhase, clientPhase, type PhaseInput } from '../../src/rollout/phase.ts'
import { stepText } from '../../src/rollout/step-text.ts'
import type { Table } from '../kit/vector-table.ts'

export const phases: Table = {
  name: 'phase',
  answer(row) {
    const rollout = row['rollout'] as PhaseInput
    return { ...clientPhase(rollout, row['templateResolvedFromRef'] === true), calculated: calculatedPhase(rollout) }
  },
}

export const stepTexts: Table = { name: 'step-text', answer: row => stepText(row['step']) }
