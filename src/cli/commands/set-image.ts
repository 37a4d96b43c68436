// set image: another image for containers of a rollout, or of the workload that it refers to.
import { planSetImage } from '../../rollout/set-image.ts'
import type { Holder } from '../../rollout/verb.ts'
import { defineCommand, UsageError } from '../command.ts'
import { holderOf, patchHolder } from '../holder.ts'
import { say } from '../output.ts'

export default defineCommand({
  summary: 'Change the image of a container; * means all containers',
  args: '<rollout> <container=image...>',
  examples: ['set image guestbook guestbook=example/guestbook:v2', 'set image guestbook "*=example/guestbook:v2"'],

  async run(context, [name = '', ...pairs]) {
    const changes = pairs.map(pair => {
      const at = pair.indexOf('=')
      if (at < 1) throw new UsageError(pair)
      return { container: pair.slice(0, at), image: pair.slice(at + 1) }
    })
    const cluster = await context.kube()
    const holder = await holderOf(cluster, await cluster.get('Rollout', name))
    const patch = changes.flatMap(({ container, image }) => {
      const plan = planSetImage(holder as Holder, container, image)
      if ('problem' in plan) throw new Error(plan.problem)
      return plan.patch
    })
    const changed = await patchHolder(cluster, holder, patch)
    await say(context, changed, `${changed.kind.toLowerCase()} "${changed.metadata.name}" image updated`)
    return 0
  },
})
