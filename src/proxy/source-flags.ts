// Route table from command line flags: two addresses and a weight, or an active and a preview address.
import { UserError } from '../errors.ts'
import type { Source } from './source.ts'
import { parseTable, type RouteTable, type RouteTableInput } from './table.ts'

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
}>

/** A table that never changes. */
export const tableSource = (table: RouteTableInput, about = 'given table'): Source => ({
  about,
  start: async sink => {
    sink.table(parseTable(table, about))
    return () => {}
  },
})

/** The table that flags ask for. Raises UserError PIN4005 on flags that do not go together. */
export function tableFromFlags(flags: RouteFlags): RouteTable {
  const { stable, canary, active, preview } = flags
  if ((stable ?? canary) !== undefined && (active ?? preview) !== undefined)
    throw wrong('--stable/--canary and --active/--preview do not go together', 'Give one pair.')
  if (active !== undefined) return parseTable(blueGreen(active, preview, flags), 'the flags')
  if (stable === undefined)
    throw wrong(
      'nothing to route to',
      'Give --stable (and --canary), --active (and --preview), --table or --kubernetes.',
    )
  return parseTable(weighted(stable, canary, flags.weight), 'the flags')
}

function weighted(stable: string, canary: string | undefined, asked: string | number | undefined): RouteTableInput {
  if (asked !== undefined && canary === undefined) throw wrong('--weight without --canary', 'Say where the canary is.')
  const percent = Number(asked ?? 0)
  if (!(percent >= 0 && percent <= 100) || `${asked ?? 0}`.trim() === '')
    throw wrong(`--weight ${asked} is not a share`, 'Give a number from 0 to 100, the share of the canary in per cent.')
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
  const dests: RouteTableInput['routes'] = [
    { name: 'default', dests: [{ role: 'active', weight: 100, upstream: bare(active) }] },
  ]
  const route = dests[0]!
  if (preview === undefined) return { routes: [route] }
  const [name = 'X-Preview', value] = (flags.previewHeader ?? 'X-Preview').split('=')
  const port = flags.previewPort === undefined ? undefined : Number(flags.previewPort)
  if (port !== undefined && !Number.isInteger(port))
    throw wrong(`--preview-port ${flags.previewPort}`, 'Give a number.')
  return {
    routes: [
      {
        ...route,
        dests: [...route.dests, { role: 'preview', weight: 0, upstream: bare(preview) }],
        preview: {
          pathPrefix: flags.previewPath ?? '/preview',
          stripPrefix: true,
          header: { name, ...(value === undefined ? {} : { value }) },
          ...(port === undefined ? {} : { port }),
        },
      },
    ],
  }
}

const bare = (url: string): string => url.replace(/\/$/, '')
const wrong = (message: string, hint: string): UserError => new UserError('PIN4005', message, hint, 2)
