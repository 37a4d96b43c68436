// pintle/http: a service of one's own decides how long a step takes, and takes back what it did after an abort.
import * as z from 'zod'
import { defineStepPlugin, type StepAnswer } from '#contract'

const config = z.looseObject({
  url: z.string().min(1).describe('Where the questions are posted.'),
  headers: z.array(z.looseObject({ key: z.string(), value: z.string() })).optional(),
  data: z.unknown().optional().describe('Sent along with every question as it is.'),
  timeoutSeconds: z.number().positive().optional().describe('Seconds, 10 when not given.'),
})
type Config = z.infer<typeof config>

const answer = z.looseObject({
  phase: z.enum(['Running', 'Successful', 'Failed']).optional(),
  message: z.string().optional(),
  requeueAfterSeconds: z.number().positive().optional(),
  status: z.record(z.string(), z.unknown()).optional(),
})

/** The answer that the body holds. Throws an Error that says what is wrong with it. */
function read(body: string): z.infer<typeof answer> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw new Error('the answer is no JSON')
  }
  const parsed = answer.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Error(`the answer's ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}`)
}

export default defineStepPlugin<Config>({
  name: 'pintle/http',
  config,

  request: (operation, c, of) => ({
    method: 'POST',
    url: c.url,
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries((c.headers ?? []).map(({ key, value }) => [key, value])),
    },
    body: JSON.stringify({ operation, ...of, data: c.data }),
    timeout: (c.timeoutSeconds ?? 10) * 1000,
  }),

  parse(reply, operation): StepAnswer {
    if (reply.status < 200 || reply.status > 299) throw new Error(`received non 2xx response code: ${reply.status}`)
    if (reply.body.trim() === '') {
      // 202 Accepted says that it is not done yet.
      return { phase: operation === 'Run' && reply.status === 202 ? 'Running' : 'Successful' }
    }
    const { phase, message, requeueAfterSeconds, status } = read(reply.body)
    return {
      ...(phase ? { phase } : {}),
      ...(message ? { message } : {}),
      ...(requeueAfterSeconds === undefined ? {} : { requeueAfter: requeueAfterSeconds * 1000 }),
      ...(status ? { status } : {}),
    }
  },
})
