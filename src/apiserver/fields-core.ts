// The fields of the core kinds beside the pod template, as facts of the Kubernetes API.

/** One type a line (indented lines go on); the notation is explained in field-table.ts. */
export const coreFields = `
AttachedVolume: name! devicePath!
ClientIPConfig: timeoutSeconds?*int32
Condition: type! status! observedGeneration?int64 lastTransitionTime!time reason! message!
ConfigMap: metadata!!ObjectMeta immutable?*bool data?map:string binaryData?map:bytes
ConfigMapNodeConfigSource: namespace! name! uid? resourceVersion? kubeletConfigKey!
ContainerExtendedResourceRequest: containerName! resourceName! requestName!
ContainerImage: names![]string sizeBytes?int64
ContainerState: waiting?*ContainerStateWaiting running?*ContainerStateRunning terminated?*ContainerStateTerminated
ContainerStateRunning: startedAt!!time
ContainerStateTerminated: exitCode!int32 signal?int32 reason? message? startedAt!!time finishedAt!!time containerID?
ContainerStateWaiting: reason? message?
ContainerStatus: name! state!!ContainerState lastState!!ContainerState ready!bool restartCount!int32 image! imageID!
  containerID? started?*bool allocatedResources?map:quantity resources?*ResourceRequirements
  volumeMounts?[]VolumeMountStatus@mountPath user?*ContainerUser allocatedResourcesStatus?[]ResourceStatus@name
  stopSignal?*string
ContainerUser: linux?*LinuxContainerUser
DaemonEndpoint: Port!int32
EndpointAddress: ip! hostname? nodeName?*string targetRef?*ObjectReference
EndpointPort: name? port!int32 protocol? appProtocol?*string
EndpointSubset: addresses?[]EndpointAddress notReadyAddresses?[]EndpointAddress ports?[]EndpointPort
Endpoints: metadata!!ObjectMeta subsets?[]EndpointSubset
Event: metadata!ObjectMeta involvedObject!ObjectReference reason? message? source!!EventSource firstTimestamp!!time
  lastTimestamp!!time count?int32 type? eventTime!!microTime series?*EventSeries action? related?*ObjectReference
  reportingComponent! reportingInstance!
EventSeries: count?int32 lastObservedTime!!microTime
EventSource: component? host?
HostIP: ip!
LinuxContainerUser: uid!int64 gid!int64 supplementalGroups?[]int64
LoadBalancerIngress: ip? hostname? ipMode?*string ports?[]PortStatus
LoadBalancerStatus: ingress?[]LoadBalancerIngress
Namespace: metadata!!ObjectMeta spec!!NamespaceSpec status!!NamespaceStatus
NamespaceCondition: type! status! lastTransitionTime!!time reason? message?
NamespaceSpec: finalizers?[]string
NamespaceStatus: phase? conditions?[]NamespaceCondition@type
Node: metadata!!ObjectMeta spec!!NodeSpec status!!NodeStatus
NodeAddress: type! address!
NodeCondition: type! status! lastHeartbeatTime!!time lastTransitionTime!!time reason? message?
NodeConfigSource: configMap?*ConfigMapNodeConfigSource
NodeConfigStatus: assigned?*NodeConfigSource active?*NodeConfigSource lastKnownGood?*NodeConfigSource error?
NodeDaemonEndpoints: kubeletEndpoint!!DaemonEndpoint
NodeFeatures: supplementalGroupsPolicy?*bool
NodeRuntimeHandler: name! features?*NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts?*bool userNamespaces?*bool
NodeSpec: podCIDR? podCIDRs?[]string@ providerID? unschedulable?bool taints?[]Taint configSource?*NodeConfigSource
  externalID?
NodeStatus: capacity?map:quantity allocatable?map:quantity phase? conditions?[]NodeCondition@type
  addresses?[]NodeAddress@type daemonEndpoints!!NodeDaemonEndpoints nodeInfo!!NodeSystemInfo images?[]ContainerImage
  volumesInUse?[]string volumesAttached?[]AttachedVolume config?*NodeConfigStatus
  runtimeHandlers?[]NodeRuntimeHandler features?*NodeFeatures
NodeSwapStatus: capacity?*int64
NodeSystemInfo: machineID! systemUUID! bootID! kernelVersion! osImage! containerRuntimeVersion! kubeletVersion!
  kubeProxyVersion! operatingSystem! architecture! swap?*NodeSwapStatus runningInUserNamespace?*bool
ObjectReference: kind? namespace? name? uid? apiVersion? resourceVersion? fieldPath?
Pod: metadata!!ObjectMeta spec!!PodSpec status!!PodStatus
PodCondition: type! observedGeneration?int64 status! lastProbeTime!!time lastTransitionTime!!time reason? message?
PodExtendedResourceClaimStatus: requestMappings![]ContainerExtendedResourceRequest resourceClaimName!
PodIP: ip!
PodResourceClaimStatus: name! resourceClaimName?*string
PodStatus: observedGeneration?int64 phase? conditions?[]PodCondition@type message? reason? nominatedNodeName?
  hostIP? hostIPs?[]HostIP@ip podIP? podIPs?[]PodIP@ip startTime?*time initContainerStatuses?[]ContainerStatus
  containerStatuses?[]ContainerStatus qosClass? ephemeralContainerStatuses?[]ContainerStatus resize?
  resourceClaimStatuses?[]PodResourceClaimStatus@name+ extendedResourceClaimStatus?*PodExtendedResourceClaimStatus
  allocatedResources?map:quantity resources?*ResourceRequirements
PodTemplate: metadata!!ObjectMeta template!!PodTemplateSpec
PortStatus: port!int32 protocol! error?*string
ResourceHealth: resourceID! health? message?*string
ResourceStatus: name! resources?[]ResourceHealth
Scale: metadata!!ObjectMeta spec!!ScaleSpec status!!ScaleStatus
ScaleSpec: replicas?int32
ScaleStatus: replicas!int32 selector?
Secret: metadata!!ObjectMeta immutable?*bool data?map:bytes stringData?map:string type?
Service: metadata!!ObjectMeta spec!!ServiceSpec status!!ServiceStatus
ServiceAccount: metadata!!ObjectMeta secrets?[]ObjectReference@name imagePullSecrets?[]LocalObjectReference
  automountServiceAccountToken?*bool
ServicePort: name? protocol? appProtocol?*string port!int32 targetPort!!intOrString nodePort?int32
ServiceSpec: ports?[]ServicePort@port selector?map:string clusterIP? clusterIPs?[]string type? externalIPs?[]string
  sessionAffinity? loadBalancerIP? loadBalancerSourceRanges?[]string externalName? externalTrafficPolicy?
  healthCheckNodePort?int32 publishNotReadyAddresses?bool sessionAffinityConfig?*SessionAffinityConfig
  ipFamilies?[]string ipFamilyPolicy?*string allocateLoadBalancerNodePorts?*bool loadBalancerClass?*string
  internalTrafficPolicy?*string trafficDistribution?*string
ServiceStatus: loadBalancer!!LoadBalancerStatus conditions?[]Condition@type
SessionAffinityConfig: clientIP?*ClientIPConfig
Taint: key! value? effect! timeAdded?*time
VolumeMountStatus: name! mountPath! readOnly?bool recursiveReadOnly?*string
`
