// Table of the small decisions of a pass: rollback, promotion, the way back, pauses.
import type { RolloutStatus } from '../../src/api/rollout-status.ts'
import { blueGreenPromotion, isPauseDone } from '../../src/rollout/blue-green.ts'
import { dynamicWeight } from '../../src/rollout/dynamic-stable.ts'
import { NO_INTENT, pauseFor } from '../../src/rollout/pauses.ts'
import { canaryPromotion, currentStep, rollback } from '../../src/rollout/progress.ts'
import { hasReachedThreshold } from '../../src/rollout/replicas.ts'
import pause from '../../src/rollout/steps/pause.ts'
import { hasPodsFor } from '../../src/rollout/traffic.ts'
import { nowOf, seenOf } from '../kit/seen-of-vector.ts'
import type { Row, Table } from '../kit/vector-table.ts'

const answers: Readonly<Record<string, (row: Row) => unknown>> = {
  rollback(row) {
    const { isRollback, isFast, isWithinWindow } = rollback(seenOf(row), nowOf(row))
    return { rollback: isRollback, fast: isFast, withinWindow: isWithinWindow }
  },
  fullPromote(row) {
    const seen = seenOf(row)
    const { blueGreen, canary } = seen.spec.strategy ?? {}
    const run = row['postPromotionRun'] as string | undefined
    const isPending = blueGreen?.postPromotionAnalysis != null && run !== 'Successful'
    const next = row['newStatus'] as RolloutStatus
    const active = next.blueGreen?.activeSelector ?? ''
    if (blueGreen) {
      const runs = { isPostPromotionPending: isPending, isRegistered: row['targetsVerified'] !== false }
      return blueGreenPromotion(seen, runs, active, NO_INTENT, nowOf(row)) ?? ''
    }
    if (!canary) return ''
    const available = seen.newRS?.status?.availableReplicas ?? 0
    return canaryPromotion(seen, NO_INTENT, hasReachedThreshold(seen, available, seen.replicas), nowOf(row)) ?? ''
  },
  abortWeight: row => (seenOf(row).spec.strategy?.canary?.dynamicStableScale ? dynamicWeight(seenOf(row)) : 0),
  replicasAvailable: row => hasPodsFor(seenOf(row), seenOf(row).newRS!, row['weight'] as number),
  pauseDone(row) {
    const seen = seenOf(row)
    if (seen.spec.strategy?.canary) {
      const verdict = pause.judge(currentStep(seen)?.pause ?? {}, { seen } as never, nowOf(row))
      return { completed: verdict.is === 'done' }
    }
    const { autoPromotionEnabled, autoPromotionSeconds } = seen.spec.strategy?.blueGreen ?? {}
    const completed = isPauseDone(seen, NO_INTENT, nowOf(row))
    return { completed, needsControllerPause: autoPromotionEnabled === false || Boolean(autoPromotionSeconds) }
  },
}

export const decisions: Table = {
  name: 'decisions',
  answer: row => answers[row['kind'] as string]!(row),
  exceptions(row) {
    const { status, strategy } = { status: seenOf(row).status, strategy: seenOf(row).spec.strategy }
    const isTimed = Boolean(strategy?.blueGreen?.autoPromotionSeconds)
    const isResumed = isTimed && strategy?.blueGreen?.autoPromotionEnabled !== false && status.controllerPause === true
    if (row['kind'] !== 'pauseDone' || !isResumed || pauseFor(status, 'BlueGreenPause')) return undefined
    const reason = 'promote ends a timed pause early; the reference goes on waiting, and nothing ends the wait any more'
    return { reason, want: { completed: true, needsControllerPause: true } }
  },
}
