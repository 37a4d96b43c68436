// The counters as Prometheus text. Written out directly: prom-client can neither take ready-made histogram buckets nor
// counters set from outside, and counting twice would cost every request.
import { below } from './histogram.ts'
import type { Series, Stats } from './stats.ts'

/** Histogram limits in microseconds: bucket edges from half a millisecond to a minute. */
const LIMITS = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26].map(octave => 2 ** octave)

export type Gauges = Readonly<{ generation: number; ready: boolean; sourceProblems: number; fuses: number }>

/** All metrics in the text format 0.0.4. */
export function exposition(stats: Stats, gauges: Gauges): string {
  const series = stats.all()
  const lines: string[] = []
  const family = (name: string, type: string, help: string, samples: readonly string[]): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples)
  }
  const each = (name: string, value: (s: Series) => number) => series.map(s => `${name}{${labels(s)}} ${value(s)}`)

  family(
    'pintle_proxy_requests_total',
    'counter',
    'Finished requests by version and status class; class "aborted" means that the client left first.',
    series.flatMap(s =>
      Array.from(
        s.classes,
        (n, i) => `pintle_proxy_requests_total{${labels(s)},code="${i === 0 ? 'aborted' : `${i}xx`}"} ${n}`,
      ),
    ),
  )
  const counters: readonly [string, string, (s: Series) => number][] = [
    ['pintle_proxy_errors_total', '5xx answers and requests without a whole answer.', s => s.errors],
    ['pintle_proxy_failures_total', 'Requests to which no pod gave a whole answer.', s => s.failures],
    ['pintle_proxy_retries_total', 'Further attempts on another connection or pod.', s => s.retries],
    ['pintle_proxy_rescued_total', 'Failed requests that stable answered instead.', s => s.rescued],
    ['pintle_proxy_mirrored_total', 'Copies of requests sent to this version.', s => s.mirrored],
    [
      'pintle_proxy_unmirrored_total',
      'Requests that were not copied: too long, or too many copies wait for an answer.',
      s => s.unmirrored,
    ],
  ]
  for (const [name, help, value] of counters) family(name, 'counter', help, each(name, value))
  const passed = 'pintle_proxy_tcp_bytes_total'
  family(passed, 'counter', 'Octets passed in TCP mode.', [
    ...series.map(s => `${passed}{${labels(s)},direction="received"} ${s.received}`),
    ...series.map(s => `${passed}{${labels(s)},direction="sent"} ${s.sent}`),
  ])
  const flying = 'pintle_proxy_in_flight'
  family(
    flying,
    'gauge',
    'Requests being served now.',
    each(flying, s => s.inFlight),
  )
  const tunnels = 'pintle_proxy_tunnels'
  family(
    tunnels,
    'gauge',
    'Open WebSockets.',
    each(tunnels, s => s.tunnels),
  )
  const duration = 'pintle_proxy_request_duration_seconds'
  family(duration, 'histogram', 'From the head of the request to the end of the answer.', series.flatMap(durations))
  const single = (name: string, type: string, help: string, value: number) =>
    family(name, type, help, [`${name} ${value}`])
  single('pintle_proxy_table_generation', 'gauge', 'Generation of the route table in force.', gauges.generation)
  single('pintle_proxy_ready', 'gauge', '1 when requests should be sent here.', gauges.ready ? 1 : 0)
  single('pintle_proxy_source_problems', 'gauge', 'Route tables that could not be used.', gauges.sourceProblems)
  single(
    'pintle_proxy_fuses_blown',
    'gauge',
    'Routes whose canary lost its weight here for its failures.',
    gauges.fuses,
  )
  single('pintle_proxy_unrouted_total', 'counter', 'Requests that no route matched.', stats.strays.unrouted)
  single('pintle_proxy_refused_total', 'counter', 'Malformed, ambiguous or too long requests.', stats.strays.refused)
  single('pintle_proxy_shed_total', 'counter', 'Requests answered 503 as too many were in flight.', stats.strays.shed)
  single(
    'pintle_proxy_turned_away_total',
    'counter',
    'Connections closed at once as there were too many.',
    stats.strays.turnedAway,
  )
  return `${lines.join('\n')}\n`
}

function durations(s: Series): string[] {
  const name = 'pintle_proxy_request_duration_seconds'
  const counts = below(s.histogram, LIMITS)
  const total = s.histogram.reduce((sum, n) => sum + n, 0)
  return [
    ...LIMITS.map((limit, i) => `${name}_bucket{${labels(s)},le="${limit / 1e6}"} ${counts[i]}`),
    `${name}_bucket{${labels(s)},le="+Inf"} ${total}`,
    `${name}_sum{${labels(s)}} ${s.seconds}`,
    `${name}_count{${labels(s)}} ${total}`,
  ]
}

const escaped = (text: string): string => text.replace(/[\\"\n]/g, c => (c === '\n' ? '\\n' : `\\${c}`))
const labels = (s: Series): string =>
  `route="${escaped(s.route)}",role="${escaped(s.role)}",hash="${escaped(s.hash)}",target="${escaped(s.target)}"`
