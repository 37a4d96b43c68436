// What a Rollout may say about requests that fail: further attempts, stable instead of the canary, time limits. As strict as
// the proxy's own table.
import * as z from 'zod'

export const retry = z
  .strictObject({
    attempts: z.int().min(0).max(5).optional().describe('Further attempts on other pods. Default 1.'),
    budgetPercent: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe('Of the requests of the last ten seconds. Default 20; three a second may beside that.'),
  })
  .describe('Safe requests without a body that fail before their answer began are sent to another pod.')

export const rescue = z
  .strictObject({
    on: z.array(z.int().min(500).max(599)).optional().describe("The canary's answers that count as failures too."),
  })
  .describe("Safe requests that the canary fails are given to stable; the failure stays the canary's.")

const seconds = z.number().gt(0).max(86_400)

export const timeouts = z
  .strictObject({
    attemptSeconds: seconds.optional().describe('For one attempt at a safe request; then another pod is tried.'),
    answerSeconds: seconds.optional().describe('For all attempts, up to the head of the answer. Default 60.'),
    silenceSeconds: z.number().min(0).max(86_400).optional().describe('Between two pieces of an answer. Default 600.'),
  })
  .describe('Time limits of this route.')
