// A claim of the bearer token in a request: only a key to spread users by. The signature is NOT verified, so whoever
// writes a token chooses the claim; nothing may be protected by it. That is the application's own work.

const BEARER = /^bearer +([^. ]+)\.([^. ]+)\.[^. ]*$/i

/** The value of a claim in the payload of the JWT in an Authorization header, as text; undefined when there is none.
 * Only texts and numbers name a user. */
export function claimOf(authorization: string | undefined, name: string): string | undefined {
  const payload = authorization === undefined ? undefined : BEARER.exec(authorization)?.[2]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    if (typeof claims !== 'object' || claims === null || !Object.hasOwn(claims, name)) return undefined
    const value = (claims as Readonly<Record<string, unknown>>)[name]
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
  } catch {
    return undefined
  }
}
