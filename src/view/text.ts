// `get rollout` and `get experiment` as text: the summary above, the tree below.
import type { Millis } from '../contract.ts'
import { padTo, widthsOf } from './columns.ts'
import type { ExperimentInfo } from './experiment-view.ts'
import { fold } from './fold.ts'
import { NO_PAINT, type Paint, paintStatus } from './paint.ts'
import type { ReplicaSetInfo } from './replica-set-view.ts'
import type { RolloutInfo } from './rollout-view.ts'
import { experimentTree, type Node, rolesText, rolloutTree } from './tree.ts'

const line = (label: string, value: string | number): string => `${label.padEnd(17)}${value}`

type Image = { readonly name: string; readonly tags: string[] }

/** Images of the sets that have pods, by name, with the parts that they play. */
function imagesOf(rollout: RolloutInfo): readonly Image[] {
  const images = new Map<string, Image>()
  const note = (rs: ReplicaSetInfo, tags: readonly string[]) => {
    if (rs.replicas === 0) return
    for (const name of rs.images) {
      const image = images.get(name) ?? { name, tags: [] }
      images.set(name, image)
      for (const tag of tags) if (!image.tags.includes(tag)) image.tags.push(tag)
    }
  }
  for (const rs of rollout.replicaSets) note(rs, rolesText(rs))
  for (const { replicaSets } of rollout.experiments) for (const rs of replicaSets) note(rs, experimentTags(rs))
  return [...images.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const experimentTags = (rs: ReplicaSetInfo): readonly string[] => [
  ...rolesText(rs),
  ...(rs.template === '' ? [] : [`Σ:${rs.template}`]),
]

function imageLines(images: readonly Image[], paint: Paint): readonly string[] {
  return images.map(({ name, tags }, index) => {
    const shown = tags.map(tag => paint.role(tag, tag)).join(', ')
    return line(index === 0 ? 'Images:' : '', shown === '' ? name : `${name} (${shown})`)
  })
}

function summary(rollout: RolloutInfo, paint: Paint): readonly string[] {
  const { name, namespace = '' } = rollout.objectMeta
  const isCanary = rollout.strategy === 'Canary'
  return [
    line('Name:', name),
    line('Namespace:', namespace),
    line('Status:', `${paintStatus(paint, rollout.icon, rollout.icon)} ${rollout.status}`),
    ...(rollout.message === '' ? [] : [line('Message:', rollout.message)]),
    line('Strategy:', rollout.strategy),
    ...(isCanary
      ? [
          line('  Step:', rollout.step),
          line('  SetWeight:', rollout.setWeight),
          line('  ActualWeight:', rollout.actualWeight),
        ]
      : []),
    ...imageLines(imagesOf(rollout), paint),
    'Replicas:',
    line('  Desired:', rollout.desired),
    line('  Current:', rollout.current),
    line('  Updated:', rollout.updated),
    line('  Ready:', rollout.ready),
    line('  Available:', rollout.available),
  ]
}

type Row = Readonly<{ node: Node; label: string }>

/** The nodes in reading order, each with its branches drawn in front. */
function rowsOf(node: Node, branch: string, below: string): readonly Row[] {
  const last = node.children.length - 1
  return [
    { node, label: `${branch}${node.sign} ${node.name}` },
    ...node.children.flatMap((child, i) =>
      rowsOf(child, `${below}${i === last ? '└──' : '├──'}`, `${below}${i === last ? '   ' : '│  '}`),
    ),
  ]
}

const statusCell = ({ icon, status }: Node): string => (icon === '' && status === '' ? '' : `${icon} ${status}`)

const infoCell = ({ info }: Node, paint: Paint): string => info.map(part => paint.role(part, part)).join(',')

/** A tree as a table with aligned columns; every line ends at the INFO column. */
export function treeText(root: Node, paint: Paint = NO_PAINT): readonly string[] {
  const rows = rowsOf(root, '', '')
  const cells = rows.map(({ node, label }) => [label, node.kind, statusCell(node), node.age])
  const header = ['NAME', 'KIND', 'STATUS', 'AGE']
  const widths = widthsOf([header, ...cells])
  const fill = (row: readonly string[]) => row.map((cell, i) => padTo(cell, widths[i] ?? 0))
  const lines = rows.map(({ node }, i) => {
    const [name = '', kind = '', status = '', age = ''] = fill(cells[i] ?? [])
    const painted = status.replace(node.icon, paintStatus(paint, node.icon, node.icon))
    return [name, kind, painted, age, infoCell(node, paint)].join('  ')
  })
  return [paint.heading([...fill(header), 'INFO'].join('  ')), ...lines]
}

/** What `get rollout` prints, line by line. `now` gives the ages; `height` is that of a screen it should fit. */
export function rolloutText(
  rollout: RolloutInfo,
  now: Millis,
  paint: Paint = NO_PAINT,
  height = Number.POSITIVE_INFINITY,
): readonly string[] {
  const above = [...summary(rollout, paint), '']
  // One line for the table's header.
  const tree = fold(rolloutTree(rollout, now), height - above.length - 1)
  return [...above, ...treeText(tree, paint)].slice(0, height)
}

/** What `get experiment` prints, line by line. */
export function experimentText(experiment: ExperimentInfo, now: Millis, paint: Paint = NO_PAINT): readonly string[] {
  const { name, namespace = '' } = experiment.objectMeta
  const images = experiment.replicaSets
    .filter(rs => rs.replicas > 0)
    .flatMap(rs => rs.images.map(image => ({ name: image, tags: [...experimentTags(rs)] })))
  return [
    line('Name:', name),
    line('Namespace:', namespace),
    line('Status:', `${paintStatus(paint, experiment.icon, experiment.icon)} ${experiment.status}`),
    ...(experiment.message === '' ? [] : [line('Message:', experiment.message)]),
    ...imageLines(images, paint),
    '',
    ...treeText(experimentTree(experiment, now), paint),
  ]
}
