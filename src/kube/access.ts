// How to reach an API server and who we are there; made by kubeconfig.ts and in-cluster.ts, used by undici.ts.

/** PEM texts. */
export type Tls = Readonly<{ ca?: string; cert?: string; key?: string }>

export type Access = Tls &
  Readonly<{
    /** `https://host:port`, perhaps with a path below which the API lives. */
    server: string
    /** The namespace meant when none is named. */
    namespace: string
    /** Name to expect in the server's certificate, when it differs from the host. */
    servername?: string
    insecureSkipTlsVerify?: boolean
    /** HTTP proxy to go through. */
    proxy?: string
    /** The bearer token of now. Called before each request, so it must be cheap. `refused` is a token that the server
     * has just answered with 401: get another one if there is any. */
    token?: (refused?: string) => Promise<string | undefined>
    /** Other headers of each request: basic authentication, impersonation. */
    headers?: Readonly<Record<string, string | string[]>>
    /** The certificates of now, for files that are rotated; asked once a minute. */
    tls?: () => Promise<Tls>
  }>
