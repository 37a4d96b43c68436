// Set image: another image for a container of the pod template, by name, `*` for all of them.
import { type Holder, templateOf, templatePath } from './verb.ts'

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** The JSON patch to send, or why it cannot be made. */
export type ImagePlan = Readonly<{ patch: readonly unknown[] } | { problem: string }>

/** The JSON patch behind `set image`, for the object that holds the template: the Rollout, or what its workloadRef
 * names. Each change is guarded by a test of the container's name, so that a template that was edited meanwhile makes
 * the patch fail instead of hitting a neighbour. */
export function planSetImage(holder: Holder, container: string, image: string): ImagePlan {
  const patch = LISTS.flatMap(list =>
    (templateOf(holder)?.spec?.[list] ?? []).flatMap((item, index) => {
      if (container !== '*' && item.name !== container) return []
      const path = `${templatePath(holder)}/spec/${list}/${index}`
      return [
        { op: 'test', path: `${path}/name`, value: item.name },
        { op: 'add', path: `${path}/image`, value: image },
      ]
    }),
  )
  return patch.length === 0 ? { problem: `unable to find container named "${container}"` } : { patch }
}
