// create analysisrun: runs an analysis template once, by hand.
import type { KubeObject } from '../../contract.ts'
import { UserError } from '../../errors.ts'
import { type Cluster, defineCommand, type Flags } from '../command.ts'
import { readManifests } from '../manifest.ts'
import { nameOf, say } from '../output.ts'

type Argument = Readonly<{ name: string; value?: unknown; valueFrom?: unknown }>
type Template = KubeObject & Readonly<{ spec?: Readonly<{ args?: readonly Argument[] }> & Record<string, unknown> }>

const INSTANCE = 'argo-rollouts.argoproj.io/controller-instance-id'

async function templateOf(cluster: () => Promise<Cluster>, flags: Flags): Promise<Template> {
  const { from, fromFile, global } = flags
  if (typeof fromFile === 'string') {
    const [first] = await readManifests(fromFile)
    if (!first) throw new UserError('PIN1005', `${fromFile} holds no template`, 'Give a file with one.')
    return first as Template
  }
  if (typeof from !== 'string') throw new Error('one of --from or --from-file must be specified')
  if (from.includes('/')) throw new Error(`invalid resource name "${from}": [may not contain '/']`)
  return (await (
    await cluster()
  ).get(global === true ? 'ClusterAnalysisTemplate' : 'AnalysisTemplate', from)) as Template
}

function withValues(args: readonly Argument[], given: readonly string[]): readonly Argument[] {
  const values = new Map(
    given.map(pair => {
      const at = pair.indexOf('=')
      if (at < 1) throw new Error('arguments must be in the form NAME=VALUE')
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
  return args.map(arg => (values.has(arg.name) ? { name: arg.name, value: values.get(arg.name) } : arg))
}

export default defineCommand({
  summary: 'Run an analysis template once',
  aliases: ['ar', 'analysisruns'],
  examples: ['create analysisrun --from my-template', 'create analysisrun --from-file template.yaml -a service=web'],
  options: command =>
    command
      .option('--from <template>', 'the AnalysisTemplate to run')
      .option('--from-file <file>', 'a file that holds the template')
      .option('--global', 'take a ClusterAnalysisTemplate')
      .option('--name <name>', 'name of the run')
      .option('--generate-name <prefix>', 'begin of the run’s name')
      .option('--instance-id <id>', 'the controller that is to run it')
      .option('-a, --argument <name=value...>', 'value of an argument'),

  async run(context) {
    const { flags } = context
    const template = await templateOf(context.kube, flags)
    const { name, generateName, instanceId, argument } = flags
    const named =
      typeof name === 'string' ? { name } : { generateName: String(generateName ?? `${template.metadata.name}-`) }
    const labels = typeof instanceId === 'string' ? { labels: { [INSTANCE]: instanceId } } : {}
    const args = withValues(template.spec?.args ?? [], (argument as readonly string[] | undefined) ?? [])
    const made = await (await context.kube()).create({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AnalysisRun',
      metadata: { ...named, ...labels } as KubeObject['metadata'],
      spec: { ...template.spec, ...(args.length === 0 ? {} : { args }) },
    })
    await say(context, made, `${nameOf(made)} created`)
    return 0
  },
})
