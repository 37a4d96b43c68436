// Where we differ from the recordings on purpose, and why a user would want it so.
import type { Exception } from '../../src/sim/exception.ts'

/** What comes of routes that stay in force from their step on. */
const ROUTES_STAY: readonly Exception[] = [
  {
    stories: ['istio-host'],
    on: 'VirtualService/app',
    facet: /^(spec|snapshot (mirror|sixty))$/,
    because: 'a header route stays in force from its step on; the reference takes it away with the next step',
  },
  {
    stories: ['istio-host'],
    on: 'VirtualService/app',
    facet: /^snapshot (header|done|end)$/,
    detail: /metadata\.generation/,
    because: 'the reference puts the header route and takes it away at once, since the canary has no pods yet',
  },
  {
    stories: ['istio-host'],
    on: 'Rollout/app',
    facet: 'events',
    what: 'missing',
    detail: /Updated VirtualService: VirtualService `app` (removed all managed routes\.|set headerRoute)/,
    because: 'the reference tells of taking routes away in every pass, also where there are none',
  },
]

/** Faults of the reference that its recordings show and that we do right. */
export const EVERYWHERE: readonly Exception[] = [
  ...ROUTES_STAY,
  {
    on: 'Rollout/app',
    facet: 'events',
    what: 'missing',
    detail: /SwitchService: Switched selector for service 'app-canary' from/,
    because: 'after an abort the reference moves the canary Service to and fro all the time; ours moves it once',
  },
  {
    on: 'Rollout/app',
    facet: 'phase',
    what: 'extra',
    detail: /InvalidSpec: .* not found phase=Degraded \(0(\.\d)? s to 0(\.\d)? s\)$/,
    because: 'which of the objects that were applied together is seen first is chance; the first may miss another',
  },
  {
    on: /^ReplicaSet\//,
    facet: /^(revision history|snapshot)/,
    detail: /revision-history/,
    because: 'the reference adds the current revision whenever any annotation is copied; ours when the number changes',
  },
  {
    stories: ['nginx-abort'],
    on: 'Rollout/app',
    facet: 'events',
    what: 'extra',
    detail: /Scaled (down|up) ReplicaSet app-5d5f756c8c \(revision 2\) from/,
    because: 'the reference had no event left to tell of it: it had spent them on moving the canary Service to and fro',
  },
  {
    stories: ['bg-third-version', 'nginx-ping-pong-alb'],
    on: 'Rollout/app',
    facet: 'events',
    what: 'extra',
    detail: /NewReplicaSetCreated: Created ReplicaSet app-6dcbd8d7d6 \(revision 1\)/,
    because: 'the reference lost this event here, after a conflict; in all other stories it is there',
  },
  {
    on: 'Rollout/app',
    facet: 'condition Progressing',
    what: 'extra',
    detail: /reason=NewReplicaSetCreated .*\(0(\.\d)? s to 0(\.\d)? s\)/,
    because: 'the reference loses this first condition at times, after a conflict; it stands for a moment only',
  },
  {
    stories: ['canary-invalid-spec'],
    on: 'Rollout/app',
    facet: /^condition (Progressing|Healthy)$/,
    what: 'missing',
    because: 'after the spec is mended the reference says for a second that the healthy rollout is not available',
  },
  {
    stories: ['inline-analysis-fails', 'bg-pre-post'],
    on: 'Rollout/app',
    facet: 'events',
    what: 'order',
    detail: /AnalysisRunFailed|RolloutAborted|Switched selector/,
    because: 'a failed analysis takes the traffic away in the very pass that sees it, and is told of right after that',
  },
  {
    stories: ['inline-analysis-fails'],
    on: 'Service/app-canary',
    facet: 'selector',
    what: 'missing',
    detail: /5d5f756c8c \(1\d/,
    because: 'after an abort the reference moves the canary Service to and fro all the time; ours moves it once',
  },
  {
    stories: ['bg-pre-post'],
    on: 'Rollout/app',
    facet: 'events',
    what: 'extra',
    detail: /NewReplicaSetCreated: Created ReplicaSet app-6dcbd8d7d6 \(revision 1\)/,
    because: 'the reference lost this event here, after a conflict; in other stories it is there',
  },
  {
    stories: ['experiment-step'],
    on: /^Experiment\//,
    facet: 'events',
    what: 'missing',
    detail: /transitioned from {2}-> (Progressing|Pending)$/,
    because: 'the reference tells its first events twice, as its second pass does not see the status of the first',
  },
  {
    stories: ['experiment-step'],
    on: 'Rollout/app',
    facet: /^snapshot/,
    detail: /experiment\.(analysisRunMetadata|templates\.\d\.metadata): recorded {}|[gG]eneration/,
    because: "the reference writes empty members into the user's spec; ours leaves the spec alone",
  },
  {
    on: /^ReplicaSet\//,
    facet: 'pod metadata',
    what: 'extra',
    detail: /./,
    because:
      'the annotation that says "done" is written last, so that a crash between template and pods is made up for',
  },
]

/** What comes of a moment without the Jobs that stood in it. */
export const IN_A_TAKE_OVER: readonly Exception[] = [
  {
    stories: ['experiment-step'],
    on: /^(AnalysisRun\/app-5d5f756c8c-2-1-compare|Experiment\/app-5d5f756c8c-2-1)$/,
    facet: 'snapshot end',
    detail:
      /metricResults\.0\.|spec\.terminate|status\.message: .*Run Terminated|analysisRuns\.0\.phase: .* here "Running"/,
    because: 'recordings hold no Jobs: the run that waits for one begins anew, and is ended with its experiment',
  },
]

/** The moment of a snapshot is a hair's breadth from the moment in which the Pods become ready. */
const ON_THE_EDGE: Exception = {
  stories: ['ref-progressively'],
  on: /^(Rollout\/app|Deployment\/legacy|ReplicaSet\/(legacy-workload1|app-79f9f5f84b)|Pods)$/,
  facet: 'snapshot early',
  because: 'the snapshot is taken in the very moment in which the Pods become ready: here they are, there they will be',
}

/** A background run measures as often as there is time for. */
const MORE_MEASUREMENTS: Exception = {
  stories: ['background-analysis'],
  on: /^(AnalysisRun\/app-5d5f756c8c-2|Pods)$/,
  facet: /^snapshot (running|end)$/,
  detail:
    /metricResults\.0\.(measurements|count|successful|consecutiveSuccess|error|consecutiveError|message)|Job\/<uid>\.ok\.[2345]/,
  because:
    'the end of a Job wakes our controller, the reference looks now and then: there is time for more measurements',
}

/** What comes of a cluster in which several Pods may become ready in the very same moment. */
export const IN_A_VIRTUAL_WORLD: readonly Exception[] = [
  ON_THE_EDGE,
  MORE_MEASUREMENTS,
  {
    stories: ['canary-rolling', 'canary-bad-image'],
    on: 'Rollout/app',
    facet: 'events',
    detail: /Scaled down ReplicaSet app-6dcbd8d7d6 \(revision 1\) from (3 to 2|2 to 1|3 to 1)$/,
    because: 'both Pods are ready at once here, so the old ReplicaSet is scaled once by two, not twice by one',
  },
  {
    stories: ['canary-restart', 'bg-restart'],
    on: 'Rollout/app',
    facet: /^(condition Progressing|snapshot restarting)$/,
    detail: /ReplicaSetUpdated|status\.conditions\.Progressing\.(reason|message)/,
    because:
      'evicted Pods are replaced in the same moment here, so no change of a count is seen that would be progress',
  },
]

/** What comes of a wall clock and of Pods that become ready one after the other. */
export const ON_A_CLUSTER: readonly Exception[] = [
  ON_THE_EDGE,
  MORE_MEASUREMENTS,
  {
    stories: ['experiment-step'],
    on: /^Experiment\//,
    facet: 'events',
    what: 'order',
    detail: /Template '(base|new)' transitioned from Progressing -> Running$/,
    because: 'which of the two Pods is ready first is chance',
  },
  {
    stories: ['ref-progressively'],
    on: /^(Rollout\/app|Deployment\/legacy|ReplicaSet\/(legacy-workload1|app-79f9f5f84b))$/,
    facet: /^(replicas|snapshot)/,
    detail: /replicas=[12] |workload-generation|workloadObservedGeneration|metadata\.generation|observedGeneration/,
    because:
      'ours shrinks the Deployment for each Pod that becomes ready, the reference is slower and does it in one go',
  },
  {
    stories: ['canary-rolling', 'canary-bad-image', 'canary-undo', 'canary-history'],
    on: /^(Rollout\/app|ReplicaSet\/app-(5d5f756c8c|78b67db7b8))$/,
    facet: /^(events|replicas|phase|condition Available)$/,
    detail: /Scaled (up|down) ReplicaSet|replicas=3|still becoming available|AvailableReason/,
    because: 'ours acts on each Pod that becomes ready, the reference is slower and acts on several at once',
  },
  {
    stories: ['bg-third-version'],
    on: /^(Rollout\/app|ReplicaSet\/app-5d5f756c8c|Pods)$/,
    facet: /^(events|snapshot v3)$/,
    detail: /Scaled down ReplicaSet app-5d5f756c8c|Rollout is paused|status\.\w*[rR]eplicas|ReplicaSet\/app-5d5f756c8c/,
    because: 'the deadline has whole seconds, so it may pass just before or just after the promotion',
  },
  {
    stories: ['canary-restart', 'bg-restart'],
    on: 'Rollout/app',
    facet: /^(condition Progressing|snapshot restarting)$/,
    detail: /ReplicaSetUpdated|status\.conditions\.Progressing\.(reason|message)/,
    because: 'evicted Pods are replaced within a tenth of a second; whether the moment without them is seen is chance',
  },
]
