// Rules for the volumes of a pod.
import type { Causes } from './causes.ts'
import { dnsLabelFaults } from './names.ts'
import { isTree, type Tree, textAt, treesAt } from './tree.ts'
import { checkVolumeSource } from './volume-sources.ts'

/** The volumes that containers may use, by name, and whether they can be had as a block device. */
export type Volumes = ReadonlyMap<string, Readonly<{ isClaim: boolean }>>

/** Checks the volumes of the pod at `at`; the answer is what containers may mount: those without a fault. */
export function checkVolumes(to: Causes, at: string, spec: Tree): Volumes {
  const sound = new Map<string, Readonly<{ isClaim: boolean }>>()
  for (const [i, volume] of treesAt(spec, 'volumes').entries()) {
    const here = `${at}.volumes[${i}]`
    const name = textAt(volume, 'name')
    const before = to.list.length
    checkVolumeSource(to, here, volume)
    if (name === '') to.required(`${here}.name`)
    else to.faults(`${here}.name`, name, dnsLabelFaults(name))
    if (sound.has(name)) to.duplicate(`${here}.name`, name)
    // A volume with a fault does not count, neither for its name nor as one that containers may mount.
    if (to.list.length === before)
      sound.set(name, { isClaim: isTree(volume['persistentVolumeClaim']) || isTree(volume['ephemeral']) })
  }
  return sound
}
