// metrics[].provider: the settings of every metric provider that the API names.

import * as z from 'zod'
import {
  fields,
  flag,
  freeForm,
  int64,
  intOrString,
  labelsAndAnnotations,
  listOf,
  type Of,
  object,
  text,
  textMap,
} from './common.ts'
import { jobSpec } from './pod-template.ts'

const authentication = fields({
  basicAuth: fields({ username: text, password: text }),
  oauth2: fields({ clientId: text, clientSecret: text, tokenUrl: text, scopes: listOf(text) }),
  sigv4: fields({ region: text, profile: text, roleArn: text }),
})

const headers = listOf(object({ key: text, value: text }, {}))

const prometheus = fields({
  address: text,
  query: text,
  authentication,
  headers,
  insecure: flag,
  timeout: int64.describe('Seconds.'),
  rangeQuery: fields({ start: text, end: text, step: text }),
})

const web = object(
  { url: text },
  {
    method: text,
    headers,
    body: text,
    jsonBody: freeForm,
    jsonPath: text,
    timeoutSeconds: int64,
    insecure: flag,
    authentication,
  },
)

const datadog = fields({
  apiVersion: z.enum(['v1', 'v2']).meta({ default: 'v1' }),
  aggregator: z.enum(['avg', 'min', 'max', 'sum', 'last', 'percentile', 'mean', 'l2norm', 'area']),
  query: text,
  queries: textMap,
  formula: text,
  interval: text.meta({ default: '5m' }),
  requestTimeout: text.meta({ default: '10s' }),
  secretRef: fields({ name: text, namespaced: flag }),
})

const cloudWatchStat = fields({
  metric: fields({
    namespace: text,
    metricName: text,
    dimensions: listOf(fields({ name: text, value: text })),
  }),
  period: intOrString,
  stat: text,
  unit: text,
})

const cloudWatch = object(
  {
    metricDataQueries: listOf(
      fields({
        id: text,
        expression: text,
        label: text,
        metricStat: cloudWatchStat,
        period: intOrString,
        returnData: flag,
      }),
    ),
  },
  { interval: text },
)

const kayentaScope = object({ scope: text, region: text, step: int64 }, { start: text, end: text })

const kayenta = object(
  {
    address: text,
    application: text,
    canaryConfigName: text,
    configurationAccountName: text,
    metricsAccountName: text,
    storageAccountName: text,
    threshold: object({ pass: int64, marginal: int64 }, {}),
    scopes: listOf(object({ name: text, controlScope: kayentaScope, experimentScope: kayentaScope }, {})),
  },
  { lookback: flag },
)

/** A metric names exactly one of these; the API does not check it. */
export const metricProvider = fields({
  prometheus,
  web,
  datadog,
  cloudWatch,
  kayenta,
  newRelic: object({ query: text }, { profile: text, timeout: int64 }),
  wavefront: fields({ address: text, query: text }),
  graphite: fields({ address: text, query: text }),
  influxdb: fields({ profile: text, query: text }),
  skywalking: fields({ address: text, query: text, interval: text }),
  job: object({ spec: jobSpec }, { metadata: labelsAndAnnotations }),
  plugin: freeForm.describe('Settings of further providers by name; pintle/NAME for those of Pintle.'),
})

export type MetricProviderSpec = Of<typeof metricProvider>
