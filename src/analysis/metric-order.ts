// A metric as JSON text, its members in the order in which the reference writes them: of several placeholders that cannot
// be resolved, people read the last.
import { podFields } from '../api/go-fields-pod.ts'
import { volumeFields } from '../api/go-fields-volume.ts'
import { goJsonText } from '../api/go-quote.ts'

/** One type a line, in the notation of go-fields-pod.ts with the marks left out; only members that hold others name a type. */
const METRIC_TYPES = `
Metric: name interval initialDelay count successCondition failureCondition failureLimit inconclusiveLimit
  consecutiveErrorLimit provider?Provider consecutiveSuccessLimit
Provider: prometheus?Prometheus kayenta?Kayenta web?Web datadog?Datadog wavefront newRelic?NewRelic job?Job
  cloudWatch?CloudWatch graphite influxdb?Influxdb skywalking?SkyWalking plugin?map:raw
Prometheus: address query authentication?Authentication timeout insecure headers?[]Header rangeQuery?Range
Range: start end step
Authentication: sigv4?Sigv4 oauth2?OAuth2
Sigv4: region profile roleArn
OAuth2: tokenUrl clientId clientSecret scopes
Header: key value
Kayenta: address application canaryConfigName metricsAccountName configurationAccountName storageAccountName
  threshold scopes?[]Scope lookback
Scope: name controlScope?ScopeDetail experimentScope?ScopeDetail
ScopeDetail: scope region step start end
Web: method url headers?[]Header body timeoutSeconds jsonPath insecure jsonBody authentication?Authentication
Datadog: interval query queries?map:raw formula apiVersion aggregator secretRef requestTimeout
NewRelic: profile query timeout
Job: metadata?ObjectMeta spec?JobSpec
CloudWatch: interval metricDataQueries?[]DataQuery
DataQuery: id expression label metricStat?MetricStat period returnData
MetricStat: metric?StatMetric period stat unit
StatMetric: dimensions?[]Dimension metricName namespace
Dimension: name value
Influxdb: profile query
SkyWalking: address query interval
JobSpec: parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit backoffLimitPerIndex
  maxFailedIndexes selector?LabelSelector manualSelector template?PodTemplateSpec ttlSecondsAfterFinished completionMode
  suspend podReplacementPolicy managedBy
`

/** The members of a type and the types that they hold, in order. */
type Members = ReadonlyMap<string, string>

const TYPES: ReadonlyMap<string, Members> = new Map(
  `${podFields.trim()}\n${volumeFields.trim()}\n${METRIC_TYPES.trim()}`
    .replaceAll(/\n +/g, ' ')
    .split('\n')
    .map(line => {
      const [type = '', rest = ''] = line.split(/:(.*)/s)
      return [type, new Map(rest.trim().split(/\s+/).map(memberOf))] as const
    }),
)

function memberOf(text: string): readonly [string, string] {
  const [, name = '', type = ''] = /^(\w+)[!?~]*\*?([^@+=]*)/.exec(text) ?? []
  return [name, type]
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The keys of an object of this type in order; those that the type does not know come last. */
function keysOf(value: object, type: string): readonly string[] {
  const keys = Object.keys(value)
  if (type.startsWith('map:')) return keys.sort(byBytes)
  const members = TYPES.get(type)
  if (!members) return keys
  const known = [...members.keys()].filter(name => keys.includes(name))
  return [...known, ...keys.filter(key => !members.has(key))]
}

function write(value: unknown, type: string): string {
  if (typeof value === 'string') return goJsonText(value)
  if (Array.isArray(value)) return `[${value.map(item => write(item, type.replace(/^\[\]/, ''))).join()}]`
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const typeAt = (key: string) => (type.startsWith('map:') ? type.slice(4) : (TYPES.get(type)?.get(key) ?? ''))
  const fields = keysOf(value, type)
    .map(key => [key, (value as Record<string, unknown>)[key]] as const)
    .filter(([, field]) => field !== undefined)
  return `{${fields.map(([key, field]) => `${goJsonText(key)}:${write(field, typeAt(key))}`).join()}}`
}

/** The JSON text of a metric. */
export const metricText = (metric: object): string => write(metric, 'Metric')
