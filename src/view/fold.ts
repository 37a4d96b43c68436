// Makes a tree fit a screen: healthy pods are counted, then old revisions and pods go, then the rest is cut.
import type { Node } from './tree.ts'

const size = (node: Node): number => 1 + node.children.reduce((sum, child) => sum + size(child), 0)

const isFine = (node: Node): boolean => node.kind === 'Pod' && node.icon === '✔'

const counted = (text: string): Node => ({
  sign: '□',
  name: text,
  kind: 'Pod',
  icon: '',
  status: '',
  age: '',
  info: [],
  children: [],
})

const deep = (node: Node, change: (node: Node) => Node): Node =>
  change({ ...node, children: node.children.map(child => deep(child, change)) })

/** Pods that run are shown as a number, where there are several. */
const countPods = (node: Node): Node => {
  const fine = node.children.filter(isFine)
  if (fine.length < 2) return node
  const others = node.children.filter(child => !isFine(child))
  return { ...node, children: [...others, counted(`${fine.length} pods ready`)] }
}

/** Revisions that only have scaled down sets are not shown. */
const dropOld = (node: Node): Node => ({
  ...node,
  children: node.children.filter(
    child => child.sign !== '#' || child.children.some(one => one.kind !== 'ReplicaSet' || one.status !== 'ScaledDown'),
  ),
})

const dropPods = (node: Node): Node => ({ ...node, children: node.children.filter(child => child.kind !== 'Pod') })

/** The tree in at most `room` lines, folded no further than it has to be. What still does not fit is left to the
 * screen's edge. */
export function fold(root: Node, room: number): Node {
  let tree = root
  for (const step of [countPods, dropOld, dropPods]) {
    if (size(tree) <= room) return tree
    tree = deep(tree, step)
  }
  return tree
}
