// What a Rollout may say about who gets which version: rules on requests, and users who stay where they are. As strict as
// the proxy's own table, so that a mistake is told about the Rollout and not by a proxy that refuses the table.
import * as z from 'zod'
import { regExpFault } from '../../src/proxy/bounded-regexp.ts'

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
const headerName = z.string().regex(TOKEN, 'is not a header name')
const cookieName = z.string().regex(TOKEN, 'is not a cookie name')
const pattern = z.string().superRefine((text, ctx) => {
  const message = regExpFault(text)
  if (message !== undefined) ctx.addIssue({ code: 'custom', message })
})

const stringMatch = z
  .strictObject({ exact: z.string().optional(), prefix: z.string().optional(), regex: pattern.optional() })
  .refine(m => Object.values(m).filter(v => v !== undefined).length === 1, 'needs exactly one of exact, prefix, regex')

const requestMatch = z
  .strictObject({
    method: stringMatch.optional(),
    path: stringMatch.optional(),
    query: z.record(z.string().min(1), stringMatch).optional(),
    headers: z.record(headerName, stringMatch).optional(),
    cookies: z.record(cookieName, stringMatch).optional(),
  })
  .refine(m => Object.keys(m).length > 0, 'says nothing')

/** Requests that meet any entry go to a version, whatever the weights. */
export const rules = z
  .array(z.strictObject({ to: z.enum(['stable', 'canary', 'active', 'preview']), anyOf: z.array(requestMatch).min(1) }))
  .describe('Requests by method, path, query, headers or cookies that go to one version while it has pods.')

/** 400 days, in seconds. */
const MOST_AGE = 400 * 86_400

const session = z
  .strictObject({
    cookie: cookieName.max(64).describe('Name of the cookie that the proxy sets.'),
    maxAge: z.int().min(1).max(MOST_AGE).optional().describe('Its life in seconds; default: until the browser closes.'),
    sameSite: z.enum(['Strict', 'Lax', 'None']).optional().describe('Default Lax.'),
    secure: z.boolean().optional().describe('Only over HTTPS; default false.'),
    follow: z.boolean().optional().describe('Sessions of stable join the canary as its weight grows; default false.'),
  })
  .refine(
    s => s.secure === true || (s.sameSite !== 'None' && !/^__(host|secure)-/i.test(s.cookie)),
    'browsers want secure: true',
  )

/** Users who stay on a version: by a key of their own, or by a cookie. */
export const sticky = z
  .strictObject({
    by: z.enum(['header', 'cookie', 'claim']).optional().describe('Where a request names its user.'),
    name: z.string().min(1).optional().describe('Name of the header, the cookie or the claim of the bearer token.'),
    salt: z.string().optional().describe('Other salts choose other users first; default: the name of the route.'),
    session: session.optional().describe('Sessions by a cookie of the proxy, begun by the exact weight.'),
  })
  .superRefine((s, ctx) => {
    const fault = (message: string) => ctx.addIssue({ code: 'custom', message })
    const isKeyed = s.by !== undefined && s.name !== undefined
    const isHalf = (s.by !== undefined || s.name !== undefined) && !isKeyed
    if (isHalf || isKeyed === (s.session !== undefined)) fault('needs either by and name, or session')
    if (s.salt !== undefined && s.session) fault('a session needs no salt')
    if (s.by !== undefined && s.by !== 'claim' && s.name && !TOKEN.test(s.name))
      fault(`${s.name} is not a ${s.by} name`)
  })
  .describe('Keeps users on one version while the weights grow.')
