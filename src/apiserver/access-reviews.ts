// Access reviews: everything is allowed, since whoever reaches this server owns it.
import type { Answer, Incoming } from './exchange.ts'
import { jsonAnswer } from './exchange.ts'
import { methodNotAllowed } from './refusals.ts'
import { lineOf } from './rendering.ts'
import { readBody } from './request-body.ts'

const EVERYTHING = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
}

const STATUSES: Readonly<Record<string, [kind: string, status: unknown]>> = {
  'authorization.k8s.io/v1/selfsubjectaccessreviews': ['SelfSubjectAccessReview', { allowed: true }],
  'authorization.k8s.io/v1/subjectaccessreviews': ['SubjectAccessReview', { allowed: true }],
  'authorization.k8s.io/v1/selfsubjectrulesreviews': ['SelfSubjectRulesReview', EVERYTHING],
  'authentication.k8s.io/v1/selfsubjectreviews': [
    'SelfSubjectReview',
    { userInfo: { username: 'pintle', groups: ['system:masters', 'system:authenticated'] } },
  ],
}

/** The answer to a review, undefined for a path that is none. `path` is `group/version/plural`. */
export const review = (path: string, incoming: Incoming): Answer | undefined => {
  const known = STATUSES[path]
  if (!known) return undefined
  if (incoming.method !== 'POST') throw methodNotAllowed()
  const [kind, status] = known
  const body = readBody(incoming).value as Record<string, unknown>
  const apiVersion = path.split('/').slice(0, 2).join('/')
  return jsonAnswer(201, lineOf({ metadata: { creationTimestamp: null }, ...body, kind, apiVersion, status }))
}
