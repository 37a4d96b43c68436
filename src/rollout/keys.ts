// The labels and annotations that hold a rollout together. Names are Argo's, so that its tools read our objects.

/** Label on ReplicaSets, pods and analysis runs, and key injected into Service selectors: the pod template hash. */
export const HASH_LABEL = 'rollouts-pod-template-hash'
export const REVISION = 'rollout.argoproj.io/revision'
export const REVISION_HISTORY = 'rollout.argoproj.io/revision-history'
/** spec.replicas of the rollout when the ReplicaSet was last scaled. */
export const DESIRED_REPLICAS = 'rollout.argoproj.io/desired-replicas'
/** metadata.generation of the referenced workload, on the Rollout. */
export const WORKLOAD_GENERATION = 'rollout.argoproj.io/workload-generation'
export const EPHEMERAL_METADATA = 'rollout.argoproj.io/ephemeral-metadata'
/** RFC 3339 instant after which an old ReplicaSet may go; has no prefix. argo: kept as it is. */
export const SCALE_DOWN_DEADLINE = 'scale-down-deadline'
/** On Services and DestinationRules: the rollout that moves their selector. */
export const MANAGED_BY = 'argo-rollouts.argoproj.io/managed-by-rollouts'
export const NOTIFIED = 'notified.notifications.argoproj.io'
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Label on Rollouts, runs, templates and experiments: the controller that they are for. */
export const INSTANCE_ID = 'argo-rollouts.argoproj.io/controller-instance-id'
/** Ours: asks for blue-green through routes; the value names the router, e.g. `proxy`. */
export const TRAFFIC = 'pintle.dev/traffic'
