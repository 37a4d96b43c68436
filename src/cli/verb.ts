// How a verb on a rollout is carried out: read it, plan, write the plan's patches, say so.
import type { KubeObject } from '../contract.ts'
import type { RolloutShape, VerbPlan } from '../rollout/verb.ts'
import type { Context } from './command.ts'
import { say } from './output.ts'

/** Reads the rollout, writes what `plan` says (status first), prints the sentence, and then the plan's note on stderr.
 * Raises an Error with the plan's problem. */
export async function carryOut(
  context: Context,
  name: string,
  plan: (rollout: RolloutShape) => VerbPlan,
  sentence: string,
): Promise<void> {
  const cluster = await context.kube()
  let object: KubeObject = await cluster.get('Rollout', name)
  const { spec, status, note, problem } = plan(object as unknown as RolloutShape)
  if (problem !== undefined) throw new Error(problem)
  // argo: the status goes first, so that an unpaused rollout already knows how far it may go.
  if (status) object = await cluster.patch('Rollout', name, { status }, 'status')
  if (spec) object = await cluster.patch('Rollout', name, { spec })
  await say(context, object, sentence)
  if (note !== undefined) context.err(note)
}
