// undo: go back to the pod template of an earlier revision.
import { UserError } from '../../errors.ts'
import type { Holder, RolloutShape } from '../../rollout/verb.ts'
import { ownedBy } from '../../view/owned.ts'
import { defineCommand } from '../command.ts'
import { holderOf, patchHolder } from '../holder.ts'
import { say } from '../output.ts'

export default defineCommand({
  summary: 'Go back to the pod template of an earlier revision',
  args: '<rollout>',
  examples: ['undo guestbook', 'undo guestbook --to-revision 3'],
  options: command =>
    command.option('--to-revision <number>', 'the revision to go back to; 0 is the previous one', '0'),

  async run(context, [name = '']) {
    const revision = Number(context.flags['toRevision'])
    if (!Number.isInteger(revision) || revision < 0) {
      throw new UserError(
        'PIN1004',
        `invalid revision "${String(context.flags['toRevision'])}"`,
        'Give a whole number.',
      )
    }
    // The templates' defaults are a big table, which other commands need not load.
    const { planUndo } = await import('../../rollout/undo.ts')
    const cluster = await context.kube()
    const rollout = await cluster.get('Rollout', name)
    const sets = ownedBy(rollout.metadata.uid, await cluster.list('ReplicaSet'))
    const holder = await holderOf(cluster, rollout)
    const plan = planUndo(
      rollout as unknown as RolloutShape,
      sets as unknown as Parameters<typeof planUndo>[1],
      revision,
      holder as Holder,
    )
    if ('problem' in plan) throw new Error(plan.problem)
    if ('note' in plan) {
      await say(context, rollout, plan.note)
      return 0
    }
    await say(context, await patchHolder(cluster, holder, plan.patch), `rollout '${name}' undo`)
    return 0
  },
})
