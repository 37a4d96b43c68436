// All kinds that the embedded API server serves from the start.
import { coreKinds, rbacKinds } from './builtin-core.ts'
import { networkKinds, otherKinds } from './builtin-network.ts'
import { workloadKinds } from './builtin-workload.ts'
import type { KindDef } from './model.ts'

export { allocateClusterIP } from './defaults-network.ts'

/** The built-in kinds. */
export const builtInKinds: readonly KindDef[] = [
  ...coreKinds,
  ...workloadKinds,
  ...networkKinds,
  ...otherKinds,
  ...rbacKinds,
]
