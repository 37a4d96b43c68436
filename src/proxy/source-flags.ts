// Route table from command line flags: two addresses and a weight, or an active and a preview address.
import { UserError } from '../errors.ts'
import type { Source } from './source.ts'
import { HEADER_NAME, parseTable, type RouteTable, type RouteTableInput } from './table.ts'
import { UPSTREAM_FORM, upstreamAddress } from './upstream-address.ts'

export type RouteFlags = Readonly<{
  stable?: string
  canary?: string
  /** 0..100, the canary's share in per cent; up to two digits behind the point. */
  weight?: string | number
  active?: string
  preview?: string
  /** Path prefix that leads to the preview version; default /preview. */
  previewPath?: string
  /** NAME or NAME=VALUE of a header that leads to the preview version; default X-Preview. */
  previewHeader?: string
  /** Port that leads to the preview version. */
  previewPort?: string | number
  /** Connections are given to versions whole. */
  tcp?: boolean
  /** Pods take further requests before they have answered. */
  pipelining?: boolean
}>

/** A table that never changes. */
export const tableSource = (table: RouteTableInput, about = 'given table'): Source => ({
  about,
  start: async sink => {
    sink.table(parseTable(table, about))
    return () => {}
  },
})

/** The table that flags ask for. Raises UserError PIN4005 on flags that do not go together or cannot be used. */
export function tableFromFlags(flags: RouteFlags): RouteTable {
  const { stable, canary, active, preview } = flags
  if ((stable ?? canary) !== undefined && (active ?? preview) !== undefined)
    throw wrong('--stable/--canary and --active/--preview do not go together', 'Give one pair.')
  for (const [flag, address] of Object.entries({ stable, canary, active, preview }))
    if (address !== undefined && !upstreamAddress(address))
      throw wrong(`--${flag} ${address} is not an address`, `Write ${UPSTREAM_FORM}.`)
  if (flags.tcp && preview !== undefined)
    throw wrong(
      '--tcp and --preview do not go together',
      'A connection cannot ask for the preview: listen on another port.',
    )
  if (active !== undefined) return parseTable(inMode(flags, blueGreen(active, preview, flags)), 'the flags')
  if (stable === undefined)
    throw wrong(
      'nothing to route to',
      'Give --stable (and --canary), --active (and --preview), --table or --kubernetes.',
    )
  return parseTable(inMode(flags, weighted(stable, canary, flags)), 'the flags')
}

const inMode = ({ tcp, pipelining }: RouteFlags, { routes = [] }: RouteTableInput): RouteTableInput => ({
  routes: routes.map(route => ({
    ...route,
    ...(tcp ? { mode: 'tcp' as const } : {}),
    ...(pipelining ? { dests: route.dests.map(dest => ({ ...dest, pipelining })) } : {}),
  })),
})

/** Flags that say something about a version which no flag names. Raises UserError PIN4005. */
export function refuseStrayFlags(flags: RouteFlags): void {
  const { weight, previewPath, previewHeader, previewPort, pipelining } = flags
  if (pipelining && flags.stable === undefined && flags.active === undefined)
    throw wrong('--pipelining without an address', 'In a table set `pipelining: true` on each version that takes it.')
  if (weight !== undefined && flags.canary === undefined)
    throw wrong('--weight without --canary', 'Say where the canary is.')
  const ways = { '--preview-path': previewPath, '--preview-header': previewHeader, '--preview-port': previewPort }
  const [stray] = Object.entries(ways).find(([, value]) => value !== undefined) ?? []
  if (stray !== undefined && flags.preview === undefined)
    throw wrong(`${stray} without --preview`, 'Say where the preview version is.')
}

function weighted(stable: string, canary: string | undefined, flags: RouteFlags): RouteTableInput {
  const asked = `${flags.weight ?? 0}`
  const percent = Number(asked)
  if (!/^\d{1,3}(\.\d{1,2})?$/.test(asked) || percent > 100)
    throw wrong(
      `--weight ${asked} is not a share`,
      'Give a number from 0 to 100, the share of the canary in per cent; at most two digits behind the point.',
    )
  const weight = Math.round(percent * 100)
  const total = 10_000
  return {
    routes: [
      {
        name: 'default',
        total,
        dests: [
          { role: 'stable', weight: total - weight, upstream: bare(stable) },
          ...(canary === undefined ? [] : [{ role: 'canary' as const, weight, upstream: bare(canary) }]),
        ],
      },
    ],
  }
}

function blueGreen(active: string, preview: string | undefined, flags: RouteFlags): RouteTableInput {
  const route = { name: 'default', dests: [{ role: 'active' as const, weight: 100, upstream: bare(active) }] }
  if (preview === undefined) return { routes: [route] }
  const port = portOf(flags.previewPort)
  return {
    routes: [
      {
        ...route,
        dests: [...route.dests, { role: 'preview', weight: 0, upstream: bare(preview) }],
        preview: {
          pathPrefix: prefixOf(flags.previewPath),
          stripPrefix: true,
          header: headerOf(flags.previewHeader),
          ...(port === undefined ? {} : { port }),
        },
      },
    ],
  }
}

function portOf(text: string | number | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (/^\d{1,5}$/.test(`${text}`) && port >= 1 && port <= 65_535) return port
  throw wrong(`--preview-port ${text} is not a port`, 'Give a number from 1 to 65535.')
}

function prefixOf(text = '/preview'): string {
  if (/^\/[^\s?#]+$/.test(text)) return text
  throw wrong(`--preview-path ${text} is not a path prefix`, 'Write it as /preview, without query.')
}

function headerOf(text = 'X-Preview'): { name: string; value?: string } {
  const [name = '', ...rest] = text.split('=')
  if (!HEADER_NAME.test(name))
    throw wrong(`--preview-header ${text} is not a header`, 'Write NAME or NAME=VALUE, such as X-Preview=yes.')
  return { name, ...(rest.length === 0 ? {} : { value: rest.join('=') }) }
}

const bare = (url: string): string => url.replace(/\/$/, '')
const wrong = (message: string, hint: string): UserError => new UserError('PIN4005', message, hint, 2)
