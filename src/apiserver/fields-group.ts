// The fields of the kinds outside the core group, as facts of the Kubernetes API.

/** One type a line (indented lines go on); the notation is explained in field-table.ts. */
export const groupFields = `
AggregationRule: clusterRoleSelectors?[]LabelSelector
ClusterRole: metadata!!ObjectMeta rules![]PolicyRule aggregationRule?*AggregationRule
ClusterRoleBinding: metadata!!ObjectMeta subjects?[]Subject roleRef!RoleRef
ContainerResourceMetricSource: name! target!MetricTarget container!
ContainerResourceMetricStatus: name! current!MetricValueStatus container!
CrossVersionObjectReference: kind! name! apiVersion?
CustomResourceColumnDefinition: name! type! format? description? priority?int32 jsonPath!
CustomResourceConversion: strategy! webhook?*WebhookConversion
CustomResourceDefinition: metadata!!ObjectMeta spec!CustomResourceDefinitionSpec
  status!!CustomResourceDefinitionStatus
CustomResourceDefinitionCondition: type! status! lastTransitionTime!!time reason? message?
CustomResourceDefinitionNames: plural! singular? shortNames?[]string kind! listKind? categories?[]string
CustomResourceDefinitionSpec: group! names!CustomResourceDefinitionNames scope!
  versions![]CustomResourceDefinitionVersion conversion?*CustomResourceConversion preserveUnknownFields?bool
CustomResourceDefinitionStatus: conditions![]CustomResourceDefinitionCondition
  acceptedNames!CustomResourceDefinitionNames storedVersions![]string
CustomResourceDefinitionVersion: name! served!bool storage!bool deprecated?bool deprecationWarning?*string
  schema?*CustomResourceValidation subresources?*CustomResourceSubresources
  additionalPrinterColumns?[]CustomResourceColumnDefinition selectableFields?[]SelectableField
CustomResourceSubresourceScale: specReplicasPath! statusReplicasPath! labelSelectorPath?*string
CustomResourceSubresourceStatus:
CustomResourceSubresources: status?*CustomResourceSubresourceStatus scale?*CustomResourceSubresourceScale
CustomResourceValidation: openAPIV3Schema?*raw
Deployment: metadata!!ObjectMeta spec!!DeploymentSpec status!!DeploymentStatus
DeploymentCondition: type! status! lastUpdateTime!!time lastTransitionTime!!time reason? message?
DeploymentSpec: replicas?*int32 selector!*LabelSelector template!PodTemplateSpec strategy!!DeploymentStrategy+
  minReadySeconds?int32 revisionHistoryLimit?*int32 paused?bool progressDeadlineSeconds?*int32
DeploymentStatus: observedGeneration?int64 replicas?int32 updatedReplicas?int32 readyReplicas?int32
  availableReplicas?int32 unavailableReplicas?int32 terminatingReplicas?*int32 conditions?[]DeploymentCondition@type
  collisionCount?*int32
DeploymentStrategy: type? rollingUpdate?*RollingUpdateDeployment
Endpoint: addresses![]string conditions!!EndpointConditions hostname?*string targetRef?*ObjectReference
  deprecatedTopology?map:string nodeName?*string zone?*string hints?*EndpointHints
EndpointConditions: ready?*bool serving?*bool terminating?*bool
EndpointHints: forZones?[]ForZone forNodes?[]ForNode
EndpointSlice: metadata!!ObjectMeta addressType! endpoints![]Endpoint ports![]SlicePort
ExternalMetricSource: metric!MetricIdentifier target!MetricTarget
ExternalMetricStatus: metric!MetricIdentifier current!MetricValueStatus
ForNode: name!
ForZone: name!
HPAScalingPolicy: type! value!int32 periodSeconds!int32
HPAScalingRules: stabilizationWindowSeconds?*int32 selectPolicy?*string policies?[]HPAScalingPolicy
  tolerance?*quantity
HTTPIngressPath: path? pathType!*string backend!IngressBackend
HTTPIngressRuleValue: paths![]HTTPIngressPath
HorizontalPodAutoscaler: metadata!!ObjectMeta spec!!HorizontalPodAutoscalerSpec
  status!!HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerBehavior: scaleUp?*HPAScalingRules scaleDown?*HPAScalingRules
HorizontalPodAutoscalerCondition: type! status! lastTransitionTime!!time reason? message?
HorizontalPodAutoscalerSpec: scaleTargetRef!CrossVersionObjectReference minReplicas?*int32 maxReplicas!int32
  metrics?[]MetricSpec behavior?*HorizontalPodAutoscalerBehavior
HorizontalPodAutoscalerStatus: observedGeneration?*int64 lastScaleTime?*time currentReplicas?int32
  desiredReplicas!int32 currentMetrics![]MetricStatus conditions?[]HorizontalPodAutoscalerCondition@type
Ingress: metadata!!ObjectMeta spec!!IngressSpec status!!IngressStatus
IngressBackend: service?*IngressServiceBackend resource?*TypedLocalObjectReference
IngressClass: metadata!!ObjectMeta spec!!IngressClassSpec
IngressClassParametersReference: apiGroup?*string kind! name! scope!*string namespace?*string
IngressClassSpec: controller? parameters?*IngressClassParametersReference
IngressLoadBalancerIngress: ip? hostname? ports?[]IngressPortStatus
IngressLoadBalancerStatus: ingress?[]IngressLoadBalancerIngress
IngressPortStatus: port!int32 protocol! error?*string
IngressRule: host? http?*HTTPIngressRuleValue
IngressServiceBackend: name! port!!ServiceBackendPort
IngressSpec: ingressClassName?*string defaultBackend?*IngressBackend tls?[]IngressTLS rules?[]IngressRule
IngressStatus: loadBalancer!!IngressLoadBalancerStatus
IngressTLS: hosts?[]string secretName?
Job: metadata!!ObjectMeta spec!!JobSpec status!!JobStatus
JobCondition: type! status! lastProbeTime!!time lastTransitionTime!!time reason? message?
JobSpec: parallelism?*int32 completions?*int32 activeDeadlineSeconds?*int64 podFailurePolicy?*PodFailurePolicy
  successPolicy?*SuccessPolicy backoffLimit?*int32 backoffLimitPerIndex?*int32 maxFailedIndexes?*int32
  selector?*LabelSelector manualSelector?*bool template!PodTemplateSpec ttlSecondsAfterFinished?*int32
  completionMode?*string suspend?*bool podReplacementPolicy?*string managedBy?*string
JobStatus: conditions?[]JobCondition@type startTime?*time completionTime?*time active?int32 succeeded?int32
  failed?int32 terminating?*int32 completedIndexes? failedIndexes?*string
  uncountedTerminatedPods?*UncountedTerminatedPods ready?*int32
Lease: metadata!!ObjectMeta spec!!LeaseSpec
LeaseSpec: holderIdentity?*string leaseDurationSeconds?*int32 acquireTime?*microTime renewTime?*microTime
  leaseTransitions?*int32 strategy?*string preferredHolder?*string
MetricIdentifier: name! selector?*LabelSelector
MetricSpec: type! object?*ObjectMetricSource pods?*PodsMetricSource resource?*ResourceMetricSource
  containerResource?*ContainerResourceMetricSource external?*ExternalMetricSource
MetricStatus: type! object?*ObjectMetricStatus pods?*PodsMetricStatus resource?*ResourceMetricStatus
  containerResource?*ContainerResourceMetricStatus external?*ExternalMetricStatus
MetricTarget: type! value?*quantity averageValue?*quantity averageUtilization?*int32
MetricValueStatus: value?*quantity averageValue?*quantity averageUtilization?*int32
ObjectMetricSource: describedObject!CrossVersionObjectReference target!MetricTarget metric!MetricIdentifier
ObjectMetricStatus: metric!MetricIdentifier current!MetricValueStatus describedObject!CrossVersionObjectReference
PodDisruptionBudget: metadata!!ObjectMeta spec!!PodDisruptionBudgetSpec status!!PodDisruptionBudgetStatus
PodDisruptionBudgetSpec: minAvailable?*intOrString selector?*LabelSelector= maxUnavailable?*intOrString
  unhealthyPodEvictionPolicy?*string
PodDisruptionBudgetStatus: observedGeneration?int64 disruptedPods?map:time disruptionsAllowed!int32
  currentHealthy!int32 desiredHealthy!int32 expectedPods!int32 conditions?[]Condition@type
PodFailurePolicy: rules![]PodFailurePolicyRule
PodFailurePolicyOnExitCodesRequirement: containerName?*string operator! values![]int32
PodFailurePolicyOnPodConditionsPattern: type! status!
PodFailurePolicyRule: action! onExitCodes?*PodFailurePolicyOnExitCodesRequirement
  onPodConditions?[]PodFailurePolicyOnPodConditionsPattern
PodsMetricSource: metric!MetricIdentifier target!MetricTarget
PodsMetricStatus: metric!MetricIdentifier current!MetricValueStatus
PolicyRule: verbs![]string apiGroups?[]string resources?[]string resourceNames?[]string nonResourceURLs?[]string
ReplicaSet: metadata!!ObjectMeta spec!!ReplicaSetSpec status!!ReplicaSetStatus
ReplicaSetCondition: type! status! lastTransitionTime!!time reason? message?
ReplicaSetSpec: replicas?*int32 minReadySeconds?int32 selector!*LabelSelector template!!PodTemplateSpec
ReplicaSetStatus: replicas!int32 fullyLabeledReplicas?int32 readyReplicas?int32 availableReplicas?int32
  terminatingReplicas?*int32 observedGeneration?int64 conditions?[]ReplicaSetCondition@type
ResourceMetricSource: name! target!MetricTarget
ResourceMetricStatus: name! current!MetricValueStatus
Role: metadata!!ObjectMeta rules![]PolicyRule
RoleBinding: metadata!!ObjectMeta subjects?[]Subject roleRef!RoleRef
RoleRef: apiGroup! kind! name!
RollingUpdateDeployment: maxUnavailable?*intOrString maxSurge?*intOrString
SelectableField: jsonPath!
ServiceBackendPort: name? number?int32
ServiceReference: namespace! name! path?*string port?*int32
SlicePort: name?*string protocol?*string port?*int32 appProtocol?*string
Subject: kind! apiGroup? name! namespace?
SuccessPolicy: rules![]SuccessPolicyRule
SuccessPolicyRule: succeededIndexes?*string succeededCount?*int32
UncountedTerminatedPods: succeeded?[]string failed?[]string
WebhookClientConfig: url?*string service?*ServiceReference caBundle?bytes
WebhookConversion: clientConfig?*WebhookClientConfig conversionReviewVersions![]string
`
