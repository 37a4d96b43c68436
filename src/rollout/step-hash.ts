// The hash of the canary steps: status.currentStepHash. Another one than recorded means that the steps have changed.
import { encodeHash, fnv1a } from './fnv.ts'
import { type Codec, compileTypes, isObject, Malformed } from './go-json.ts'
import { POD_TEMPLATE_TYPES } from './go-json-order.ts'
import { STEP_TYPES } from './go-json-order-steps.ts'
import { readTolerant } from './go-json-tolerant.ts'
import { perObject } from './per-object.ts'

const holder: Codec = compileTypes(
  `${POD_TEMPLATE_TYPES.trim()}\n${STEP_TYPES.trim()}\nCanarySteps: steps![]CanaryStep`,
).get('CanarySteps')!
const steps: Codec = holder.members![0]!.codec

const hashOf = (value: unknown): string =>
  encodeHash(fnv1a(value === undefined || value === null ? steps.zero : steps.write(value)))

/** The hash of steps as they stand in the spec; throws Malformed when they do not convert strictly.
 * argo: absent and empty lists are the same. */
const strictHash = (value: unknown): string => hashOf(Array.isArray(value) && value.length === 0 ? undefined : value)

/** The steps of a strategy; undefined when it has none to speak of: blue-green, or no canary. */
function stepsOf(strategy: unknown): Readonly<{ steps: unknown }> | undefined {
  if (!isObject(strategy)) return undefined
  const { blueGreen, canary } = strategy
  if ((blueGreen !== undefined && blueGreen !== null) || canary === undefined || canary === null) return undefined
  return { steps: isObject(canary) ? canary['steps'] : undefined }
}

/** The hash of spec.strategy's canary steps, '' for other strategies, an error when the steps do not convert. */
export function stepHashStrict(strategy: unknown): Readonly<{ hash: string }> | Readonly<{ error: true }> {
  const found = stepsOf(strategy)
  if (!found) return { hash: '' }
  try {
    return { hash: strictHash(found.steps) }
  } catch (error) {
    if (error instanceof Malformed) return { error: true }
    throw error
  }
}

/** The hash of spec.strategy's canary steps, '' for other strategies; what does not fit its type is read as Go would. */
export const stepHash = (strategy: unknown): string =>
  isObject(strategy) ? hashOfStrategy(strategy) : tolerantHash(strategy)

const hashOfStrategy = perObject((strategy: object) => tolerantHash(strategy))

function tolerantHash(strategy: unknown): string {
  const strict = stepHashStrict(strategy)
  if ('hash' in strict) return strict.hash
  return strictHash(readTolerant(steps, stepsOf(strategy)?.steps).value)
}
