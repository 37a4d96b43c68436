// Table of the errors that a rollout shows by itself.
import type { Rollout } from '../../src/api/rollout.ts'
import { specCauses } from '../../src/rollout/validate/spec.ts'
import type { Table } from '../kit/vector-table.ts'

type FieldError = Readonly<{ field: string; type: string; text: string }>

export const validation: Table = {
  name: 'validation',
  want: ({ want }) => (want as readonly FieldError[]).map(({ field, type, text }) => ({ field, type, text })),
  answer(row) {
    const { spec } = row['rollout'] as Rollout
    const causes = specCauses({ spec, isResolvedFromRef: row['templateResolvedFromRef'] === true })
    return causes.map(({ field, reason, message }) => ({ field, type: reason, text: `${field}: ${message}` }))
  },
}
