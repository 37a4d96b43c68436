// controller: reconciles rollouts until it is told to stop.
import { UserError } from '../../errors.ts'
import { type Context, defineCommand, type Flags } from '../command.ts'
import { addControllerFlags, checkNumbers, connectionOf, idleFlags } from '../controller-flags.ts'
import { durationFlag } from '../duration-flag.ts'
import { versionText } from '../version-text.ts'

function whole(flags: Flags, name: string, flag: string, least = 1): number {
  const number = Number(flags[name])
  if (Number.isInteger(number) && number >= least) return number
  throw new UserError('PIN1007', `invalid ${flag} "${String(flags[name])}"`, `Give a whole number from ${least}.`)
}

/** The namespace to keep to: the one given, or with --namespaced the kubeconfig's own. */
async function scopeOf({ flags, target, kube }: Context): Promise<{ namespace?: string }> {
  if (target.namespace !== undefined) return { namespace: target.namespace }
  return flags['namespaced'] === true ? { namespace: (await kube()).namespace } : {}
}

function timingsOf(flags: Flags) {
  const leaseDuration = durationFlag(flags['leaderElectionLeaseDuration'])
  const renewDeadline = durationFlag(flags['leaderElectionRenewDeadline'])
  const retryPeriod = durationFlag(flags['leaderElectionRetryPeriod'])
  if (leaseDuration > renewDeadline && renewDeadline > retryPeriod) return { leaseDuration, renewDeadline, retryPeriod }
  const hint = 'The lease must last longer than the renew deadline, and that longer than the retry period.'
  throw new UserError('PIN1009', 'the times of the leader election do not fit', hint)
}

/** GROUP/VERSION: another text would name a kind that no cluster has, and so nothing to wait for. */
function groupVersion(text: string, flag: string): string {
  if (/^[^/\s]+\.[^/\s]+\/[^/\s]+$/.test(text)) return text
  throw new UserError('PIN1007', `invalid ${flag} "${text}"`, 'Give group and version, such as elbv2.k8s.aws/v1beta1.')
}

const BINDING_VERSION = '--aws-target-group-binding-api-version'

function rate(flags: Flags): number {
  const number = Number(flags['qps'])
  if (number > 0 && Number.isFinite(number)) return number
  throw new UserError('PIN1007', `invalid --qps "${String(flags['qps'])}"`, 'Give a number above 0.')
}

/** argo: there is one controller that can run alone. */
function isAnalysisOnly(flags: Flags): boolean {
  const names = ((flags['controllers'] as readonly string[] | undefined) ?? []).flatMap(text => text.split(','))
  const other = names.find(name => name !== 'analysis')
  if (other === undefined) return names.length > 0
  throw new UserError('PIN1011', `unsupported controller: ${other}`, 'Leave --controllers out, or give: analysis.')
}

const asksAws = (flags: Flags): boolean => flags['awsVerifyTargetGroup'] === true || flags['albVerifyWeight'] === true

export default defineCommand({
  summary: 'Run the controller against the cluster of the kubeconfig, or the one it runs in',
  examples: ['controller', 'controller --namespace shop', 'controller --namespaced --no-leader-elect'],
  options: command => addControllerFlags(command),

  async run(context) {
    const { flags, target } = context
    if (flags['version'] === true) {
      context.out(await versionText())
      return 0
    }
    checkNumbers(flags)
    const { instanceId, leaderElectionNamespace, qps, albTagKeyResourceId, awsTargetGroupBindingApiVersion } =
      flags as Readonly<Record<string, string | undefined>>
    const options = {
      version: await versionText(),
      ...(await scopeOf(context)),
      ...(target.path === undefined ? {} : { kubeconfig: target.path }),
      ...(target.context === undefined ? {} : { context: target.context }),
      ...(instanceId ? { instanceId } : {}),
      burst: whole(flags, 'burst', '--burst'),
      ...(qps === undefined ? {} : { qps: rate(flags) }),
      ...(isAnalysisOnly(flags) ? { analysisOnly: true } : {}),
      ...(flags['leaderElect'] === false ? {} : { election: timingsOf(flags) }),
      ...(leaderElectionNamespace ? { leaseNamespace: leaderElectionNamespace } : {}),
      ...(asksAws(flags) && albTagKeyResourceId ? { albTag: albTagKeyResourceId } : {}),
      ...(awsTargetGroupBindingApiVersion
        ? { bindingVersion: groupVersion(awsTargetGroupBindingApiVersion, BINDING_VERSION) }
        : {}),
      rolloutThreads: whole(flags, 'rolloutThreads', '--rollout-threads'),
      analysisThreads: whole(flags, 'analysisThreads', '--analysis-threads'),
      experimentThreads: whole(flags, 'experimentThreads', '--experiment-threads'),
      serviceThreads: whole(flags, 'serviceThreads', '--service-threads'),
      resync: whole(flags, 'rolloutResync', '--rollout-resync', 0) * 1000,
      metricsPort: whole(flags, flags['metricsport'] === undefined ? 'metricsPort' : 'metricsport', '--metricsPort', 0),
      healthzPort: whole(flags, 'healthzPort', '--healthzPort', 0),
      loglevel: String(flags['loglevel']),
      logformat: String(flags['logformat']),
      connection: connectionOf(flags),
      idle: idleFlags(flags),
    }
    const { runController } = await import('../../controller/main.ts')
    return runController(options)
  },
})
