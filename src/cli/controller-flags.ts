// The flags of Argo's controller, under their own names (argo-behaviour 10.1), and what of them acts here.
import type { Command as Commander } from 'commander'
import { UserError } from '../errors.ts'
import type { Overrides } from '../kube/overrides.ts'

/** Accepted so that a deployment's arguments need no editing; what they are about is not there yet, or not needed. */
const WITHOUT_EFFECT: readonly (readonly [flag: string, value: string, why: string])[] = [
  ['--kloglevel', '0', 'there is no klog here'],
  ['--ingress-threads', '10', 'Ingresses are part of their rollout'],
  ['--ephemeral-metadata-threads', '10', 'pods are patched in order'],
  ['--ephemeral-metadata-update-pod-retries', '3', 'a failed pass is tried again until it succeeds'],
  ['--istio-api-version', 'v1alpha3', 'v1alpha3 is used, which every Istio serves'],
  ['--ambassador-api-version', 'getambassador.io/v2', 'Ambassador is not there yet'],
  ['--traffic-split-api-version', 'v1alpha1', 'SMI is not there yet'],
  ['--traefik-api-group', 'traefik.io', 'Traefik is not there yet'],
  ['--traefik-api-version', 'traefik.io/v1alpha1', 'Traefik is not there yet'],
  ['--appmesh-crd-version', 'v1beta2', 'App Mesh is not there yet'],
  ['--ingress-api-version', '', 'networking.k8s.io/v1 is used'],
  ['--nginx-ingress-classes', 'nginx', 'the stable Ingress is named by the Rollout'],
  ['--alb-ingress-classes', 'alb', 'the Ingress is named by the Rollout'],
  ['--enable-pprof-address', '', 'node --inspect shows more'],
  ['--request-timeout', '0', 'each request has a deadline of its own'],
]
const SWITCHES_WITHOUT_EFFECT: readonly (readonly [flag: string, why: string])[] = [
  ['--self-service-notification-enabled', 'notifications are not sent yet'],
  ['--disable-compression', 'answers are not asked to be compressed'],
]

/** Those of them that count something. */
const NUMBERS = [
  '--kloglevel',
  '--ingress-threads',
  '--ephemeral-metadata-threads',
  '--ephemeral-metadata-update-pod-retries',
]

/** client-go's flags that overrule what the kubeconfig says. */
const CONNECTION: readonly (readonly [flag: string, what: string])[] = [
  ['--server <url>', "the API server's address"],
  ['--certificate-authority <file>', 'certificates that the API server may be signed by'],
  ['--client-certificate <file>', 'our certificate'],
  ['--client-key <file>', 'its key'],
  ['--tls-server-name <name>', "name to expect in the API server's certificate"],
  ['--token <token>', 'bearer token'],
  ['--username <name>', 'for basic authentication'],
  ['--password <password>', 'for basic authentication'],
  ['--proxy-url <url>', 'HTTP proxy to go through'],
  ['--cluster <name>', "cluster of the kubeconfig, in place of the context's"],
  ['--user <name>', "user of the kubeconfig, in place of the context's"],
  ['--as <name>', 'act as this user'],
  ['--as-uid <uid>', 'act as a user with this uid'],
]

/** What of the kubeconfig the flags overrule. */
export function connectionOf(flags: Readonly<Record<string, unknown>>): Overrides {
  const given = CONNECTION.map(([flag]) => keyOf(flag.replace(/ .*/, ''))).filter(key => typeof flags[key] === 'string')
  return {
    ...Object.fromEntries(given.map(key => [key, flags[key]])),
    ...(Array.isArray(flags['asGroup']) ? { asGroup: flags['asGroup'].map(String) } : {}),
    ...(flags['insecureSkipTlsVerify'] === true ? { insecureSkipTlsVerify: true } : {}),
  }
}

/** Raises UserError PIN1007 for a flag that should be a whole number, also when nothing hangs on it. */
export function checkNumbers(flags: Readonly<Record<string, unknown>>): void {
  for (const flag of NUMBERS) {
    const text = String(flags[keyOf(flag)])
    if (!/^[+-]?\d+$/.test(text)) throw new UserError('PIN1007', `invalid ${flag} "${text}"`, 'Give a whole number.')
  }
}

/** Adds all flags of the controller to its command. */
export function addControllerFlags(command: Commander): void {
  command
    .option('--namespaced', 'keep to the namespace of the kubeconfig or of the Pod')
    .option(
      '--instance-id <id>',
      'only objects labelled with this controller-instance-id; without it only unlabelled ones',
    )
    .option('--rollout-threads <number>', 'rollouts worked on at once', '10')
    .option('--analysis-threads <number>', 'analysis runs worked on at once', '30')
    .option('--experiment-threads <number>', 'experiments worked on at once', '10')
    .option('--service-threads <number>', 'Services given back at once', '10')
    .option('--rollout-resync <seconds>', 'look at every rollout again this often', '900')
    .option('--metricsPort <port>', 'where /metrics is served; 0: nowhere', '8090')
    .option('--metricsport <port>', 'old name of --metricsPort')
    .option('--healthzPort <port>', 'where /healthz and /readyz are served; 0: nowhere', '8080')
    .option('--leader-elect', 'work only while holding the lease', true)
    .option('--no-leader-elect', 'work without a lease')
    .option('--leader-election-namespace <name>', "where the lease is; default: the controller's namespace")
    .option('--leader-election-lease-duration <duration>', 'how long others wait for a silent leader', '15s')
    .option('--leader-election-renew-deadline <duration>', 'how long a leader goes on without a renewal', '10s')
    .option('--leader-election-retry-period <duration>', 'how often the lease is tried', '2s')
    .option('--qps <number>', "requests a second; default: no limit but the server's own fairness")
    .option('--burst <number>', 'requests at once when --qps is given', '80')
    .option('--aws-verify-target-group', 'ask AWS whether target groups have their weights and pods')
    .option('--alb-verify-weight', 'old name of --aws-verify-target-group')
    .option(
      '--alb-tag-key-resource-id <key>',
      'tag that names the Service of a target group',
      'ingress.k8s.aws/resource',
    )
    .option(
      '--aws-target-group-binding-api-version <version>',
      'apiVersion of the TargetGroupBindings that tie Services to target groups',
      'elbv2.k8s.aws/v1beta1',
    )
    .option('--loglevel <level>', 'debug, info, warn or error', 'info')
    .option('--logformat <format>', 'text or json', 'text')
    .option('--controllers <name...>', 'only these controllers; there is: analysis')
    .option('--version', 'show the version')
    .option('--insecure-skip-tls-verify', 'take any certificate of the API server')
    .option(
      '--as-group <name>',
      'act as a member of this group; may be given again',
      (one: string, before?: string[]) => [...(before ?? []), one],
    )
  for (const [flag, what] of CONNECTION) command.option(flag, what)
  for (const [flag, value, why] of WITHOUT_EFFECT) {
    command.addOption(command.createOption(`${flag} <value>`, `accepted, without effect: ${why}`).default(value))
  }
  for (const [flag, why] of SWITCHES_WITHOUT_EFFECT) command.option(flag, `accepted, without effect: ${why}`)
}

/** commander's name of a flag. */
const keyOf = (flag: string): string => flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** The flags that were given another value than their default and that change nothing, each with the reason. */
export function idleFlags(
  flags: Readonly<Record<string, unknown>>,
): readonly Readonly<{ flag: string; why: string }>[] {
  return [
    ...WITHOUT_EFFECT.filter(([flag, value]) => (flags[keyOf(flag)] ?? value) !== value).map(([flag, , why]) => ({
      flag,
      why,
    })),
    ...SWITCHES_WITHOUT_EFFECT.filter(([flag]) => flags[keyOf(flag)] === true).map(([flag, why]) => ({ flag, why })),
  ]
}
