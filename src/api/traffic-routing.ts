// spec.strategy.canary.trafficRouting: the settings of every router that the API names.
import { fields, flag, freeForm, int32, int64, listOf, type Of, object, text, textMap } from './common.ts'

const alb = object(
  { servicePort: int32 },
  {
    ingress: text,
    ingresses: listOf(text),
    rootService: text,
    annotationPrefix: text,
    stickinessConfig: object({ enabled: flag, durationSeconds: int64 }, {}),
  },
)

const ambassador = object({ mappings: listOf(text) }, {})

const apisix = fields({ route: object({ name: text }, { rules: listOf(text) }) })

const named = object({ name: text }, {})

const appMesh = fields({
  virtualService: object({ name: text }, { routes: listOf(text) }),
  virtualNodeGroup: object({ canaryVirtualNodeRef: named, stableVirtualNodeRef: named }, {}),
})

const virtualService = object(
  { name: text },
  {
    routes: listOf(text),
    tlsRoutes: listOf(fields({ port: int64, sniHosts: listOf(text) })),
    tcpRoutes: listOf(fields({ port: int64 })),
  },
)

const istio = fields({
  virtualService,
  virtualServices: listOf(virtualService),
  destinationRule: object(
    { name: text, canarySubsetName: text, stableSubsetName: text },
    { additionalSubsetNames: listOf(text) },
  ),
})

const nginx = fields({
  annotationPrefix: text,
  stableIngress: text,
  stableIngresses: listOf(text),
  additionalIngressAnnotations: textMap,
  canaryIngressAnnotations: textMap,
})

const smi = fields({ rootService: text, trafficSplitName: text })

const traefik = object({ weightedTraefikServiceName: text }, {})

/** Several routers may be set at once; each is driven. */
export const trafficRouting = fields({
  alb,
  ambassador,
  apisix,
  appMesh,
  istio,
  nginx,
  smi,
  traefik,
  plugins: freeForm.describe('Settings of further routers by name; pintle/NAME for those of Pintle.'),
  managedRoutes: listOf(named).describe('Routes of setHeaderRoute and setMirrorRoute steps, by precedence.'),
  maxTrafficWeight: int32.describe('The whole of the traffic in units of setWeight; 100 when unset.'),
})

export type TrafficRouting = Of<typeof trafficRouting>
