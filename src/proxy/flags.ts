// Command line flags of `pintle proxy` read as the options of a proxy.
import { UserError } from '../errors.ts'
import { trustsOf } from './addresses.ts'
import { ENDS_HERE } from './h2/fields.ts'
import type { Source } from './source.ts'
import { fileSource } from './source-file.ts'
import { type RouteFlags, refuseStrayFlags, tableFromFlags, tableSource } from './source-flags.ts'
import { kubeSource, type RouteCache } from './source-kube.ts'
import type { ProxyOptions } from './start.ts'

/** Flags in camel case, as commander gives them. */
export type ProxyFlags = RouteFlags &
  Readonly<{
    /** Default :8080. */
    listen?: string
    /** Default 127.0.0.1:9180. */
    admin?: string
    /** A JSON or YAML route table, watched. */
    table?: string
    /** Tables from labelled ConfigMaps. */
    kubernetes?: boolean
    namespace?: string
    /** Also (or only) serve Ingresses of this class; implies `kubernetes`. */
    ingressClass?: string
    annotationPrefix?: string
    dialMap?: string
    /** Comma separated addresses and ranges. */
    trust?: string
    /** PEM files; given together. */
    tlsCert?: string
    tlsKey?: string
    /** Threads; default 1. */
    workers?: string
    reusePort?: boolean
    /** A file, or `-`. */
    accessLog?: string
    /** 0 to 1; default 1. */
    accessLogSample?: string
    /** Also write Forwarded (RFC 7239). */
    forwarded?: boolean
    /** Share of the traces begun here that are sampled, 0 to 1; `true` from a bare flag: 0. */
    trace?: string | boolean
    versionHeader?: string
    serverTiming?: boolean
    /** Comma separated addresses and ranges. */
    proxyProtocol?: string
    maxInFlight?: string
    maxConnections?: string
    /** Octets. */
    maxBody?: string
    /** Octets. */
    gatherBody?: string
  }>

/** Options for `startProxy`. `connect` opens the cluster's cache; called only when the flags ask for Kubernetes.
 * Raises UserError PIN4005 when the flags contradict each other. */
export async function proxyOptionsFromFlags(
  flags: ProxyFlags,
  connect?: () => Promise<RouteCache>,
): Promise<ProxyOptions> {
  return {
    listen: flags.listen ?? ':8080',
    admin: flags.admin ?? '127.0.0.1:9180',
    source: await sourceOf(flags, connect),
    ...tlsOf(flags),
    ...accessLogOf(flags),
    limits: {
      inFlight: wholeOf(flags.maxInFlight, '--max-in-flight'),
      ...(flags.maxConnections === undefined
        ? {}
        : { connections: wholeOf(flags.maxConnections, '--max-connections') }),
      bodyOctets: wholeOf(flags.maxBody, '--max-body'),
      ...(flags.gatherBody === undefined ? {} : { gathered: wholeOf(flags.gatherBody, '--gather-body') }),
    },
    workers: workersOf(flags.workers),
    ...(flags.reusePort ? { reusePort: true } : {}),
    ...(flags.dialMap === undefined ? {} : { dialMap: flags.dialMap }),
    ...marksOf(flags),
    ...(flags.proxyProtocol === undefined ? {} : { proxyProtocol: rangesOf(flags.proxyProtocol, '--proxy-protocol') }),
    ...(flags.trust === undefined ? {} : { trust: rangesOf(flags.trust, '--trust') }),
  }
}

function accessLogOf({ accessLog: file, accessLogSample }: ProxyFlags): Pick<ProxyOptions, 'accessLog'> {
  if (file === undefined && accessLogSample !== undefined)
    throw new UserError('PIN4005', '--access-log-sample without --access-log', 'Say where the log goes.', 2)
  if (file === undefined) return {}
  const sample = Number(accessLogSample ?? 1)
  if (sample > 0 && sample <= 1) return { accessLog: { file, sample } }
  throw new UserError('PIN4005', `bad --access-log-sample ${accessLogSample}`, 'Give a share such as 0.01, up to 1.', 2)
}

function rangesOf(text: string, flag: string): string[] {
  const ranges = text.split(',').map(range => range.trim())
  trustsOf(ranges, flag)
  return ranges
}

const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/
/** Fields of answers that mean something to whoever reads them; the version would replace them. */
const NOT_FOR_VERSIONS = new Set([
  ...ENDS_HERE,
  'trailer',
  'location',
  'set-cookie',
  'content-type',
  'server-timing',
  'content-length',
  'content-encoding',
])

function marksOf({ forwarded, trace, versionHeader, serverTiming }: ProxyFlags): Pick<ProxyOptions, 'marks'> {
  if (!forwarded && trace === undefined && versionHeader === undefined && !serverTiming) return {}
  const sample = trace === true ? 0 : trace === undefined || trace === false ? undefined : Number(trace)
  if (sample !== undefined && !(sample >= 0 && sample <= 1))
    throw new UserError('PIN4005', `bad --trace ${trace}`, 'Give the share that is sampled, 0 to 1, or nothing.', 2)
  const isTaken = NOT_FOR_VERSIONS.has(versionHeader?.toLowerCase() ?? '')
  if (versionHeader !== undefined && (isTaken || !FIELD_NAME.test(versionHeader)))
    throw new UserError('PIN4005', `bad --version-header ${versionHeader}`, 'Give the name of a header of your own.', 2)
  return {
    marks: {
      ...(forwarded ? { forwarded } : {}),
      ...(sample === undefined ? {} : { trace: sample }),
      ...(versionHeader === undefined ? {} : { versionHeader }),
      ...(serverTiming ? { serverTiming } : {}),
    },
  }
}

function wholeOf(text = '0', flag: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UserError('PIN4005', `bad ${flag} ${text}`, 'Give a whole number; 0 is no limit.', 2)
}

const MOST_WORKERS = 64

function workersOf(text = '1'): number {
  const workers = Number(text)
  if (Number.isInteger(workers) && workers >= 1 && workers <= MOST_WORKERS) return workers
  throw new UserError('PIN4005', `bad --workers ${text}`, `Give a whole number from 1 to ${MOST_WORKERS}.`, 2)
}

function tlsOf({ tlsCert: cert, tlsKey: key }: ProxyFlags): Pick<ProxyOptions, 'tls'> {
  if (cert === undefined && key === undefined) return {}
  if (cert !== undefined && key !== undefined) return { tls: { cert, key } }
  throw new UserError('PIN4005', '--tls-cert and --tls-key go together', 'Give both, as PEM files.', 2)
}

async function sourceOf(flags: ProxyFlags, connect?: () => Promise<RouteCache>): Promise<Source> {
  const wantsCluster = flags.kubernetes === true || flags.ingressClass !== undefined
  const wantsAddresses = [flags.stable, flags.canary, flags.active, flags.preview].some(f => f !== undefined)
  const ways = [wantsCluster, flags.table !== undefined, wantsAddresses].filter(Boolean).length
  if (ways > 1)
    throw new UserError(
      'PIN4005',
      'the table can come from one place only',
      'Give --table, --kubernetes or addresses.',
      2,
    )
  refuseStrayFlags(flags)
  if (flags.annotationPrefix !== undefined && flags.ingressClass === undefined)
    throw new UserError('PIN4005', '--annotation-prefix without --ingress-class', 'Name the class of the Ingresses.', 2)
  if (flags.table !== undefined) return fileSource(flags.table)
  if (!wantsCluster) return tableSource(tableFromFlags(flags), 'flags')
  if (!connect) throw new UserError('PIN4005', 'no cluster to ask', 'Use --table or addresses here.', 2)
  const { namespace, ingressClass, annotationPrefix } = flags
  const ingress =
    ingressClass === undefined ? undefined : { ingressClass, ...(annotationPrefix ? { annotationPrefix } : {}) }
  return kubeSource({
    cache: await connect(),
    ...(namespace === undefined ? {} : { namespace }),
    ...(ingress === undefined ? {} : { ingress }),
  })
}
