// The fields of a pod template, as facts of the Kubernetes API 1.34.

/** One type a line (indented lines go on); read by rollout/go-json.ts (as JSON order) and apiserver/field-table.ts (which explains the notation). */
export const podFields = `
Affinity: nodeAffinity?*NodeAffinity podAffinity?*PodAffinity podAntiAffinity?*PodAntiAffinity
AppArmorProfile: type! localhostProfile?*string
Capabilities: add?[]string drop?[]string
ConfigMapEnvSource: name? optional?*bool
ConfigMapKeySelector: name? key! optional?*bool
Container: name! image? command?[]string args?[]string workingDir? ports?[]ContainerPort@containerPort
  envFrom?[]EnvFromSource env?[]EnvVar@name resources!!ResourceRequirements resizePolicy?[]ContainerResizePolicy
  restartPolicy?*string restartPolicyRules?[]ContainerRestartRule volumeMounts?[]VolumeMount@mountPath
  volumeDevices?[]VolumeDevice@devicePath livenessProbe?*Probe readinessProbe?*Probe startupProbe?*Probe
  lifecycle?*Lifecycle terminationMessagePath? terminationMessagePolicy? imagePullPolicy?
  securityContext?*SecurityContext stdin?bool stdinOnce?bool tty?bool
ContainerPort: name? hostPort?int32 containerPort!int32 protocol? hostIP?
ContainerResizePolicy: resourceName! restartPolicy!
ContainerRestartRule: action? exitCodes?*ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator? values?[]int32
EnvFromSource: prefix? configMapRef?*ConfigMapEnvSource secretRef?*SecretEnvSource
EnvVar: name! value? valueFrom?*EnvVarSource
EnvVarSource: fieldRef?*ObjectFieldSelector resourceFieldRef?*ResourceFieldSelector
  configMapKeyRef?*ConfigMapKeySelector secretKeyRef?*SecretKeySelector fileKeyRef?*FileKeySelector
EphemeralContainer: name! image? command?[]string args?[]string workingDir? ports?[]ContainerPort@containerPort
  envFrom?[]EnvFromSource env?[]EnvVar@name resources!!ResourceRequirements resizePolicy?[]ContainerResizePolicy
  restartPolicy?*string restartPolicyRules?[]ContainerRestartRule volumeMounts?[]VolumeMount@mountPath
  volumeDevices?[]VolumeDevice@devicePath livenessProbe?*Probe readinessProbe?*Probe startupProbe?*Probe
  lifecycle?*Lifecycle terminationMessagePath? terminationMessagePolicy? imagePullPolicy?
  securityContext?*SecurityContext stdin?bool stdinOnce?bool tty?bool targetContainerName?
ExecAction: command?[]string
FileKeySelector: volumeName! path! key! optional?*bool
GRPCAction: port!int32 service!*string
HTTPGetAction: path? port!intOrString host? scheme? httpHeaders?[]HTTPHeader
HTTPHeader: name! value!
HostAlias: ip! hostnames?[]string
LabelSelector: matchLabels?map:string matchExpressions?[]LabelSelectorRequirement
LabelSelectorRequirement: key! operator! values?[]string
Lifecycle: postStart?*LifecycleHandler preStop?*LifecycleHandler stopSignal?*string
LifecycleHandler: exec?*ExecAction httpGet?*HTTPGetAction tcpSocket?*TCPSocketAction sleep?*SleepAction
LocalObjectReference: name?
ManagedFieldsEntry: manager? operation? apiVersion? time?*time fieldsType? fieldsV1?*raw subresource?
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution?*NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution?[]PreferredSchedulingTerm
NodeSelector: nodeSelectorTerms![]NodeSelectorTerm
NodeSelectorRequirement: key! operator! values?[]string
NodeSelectorTerm: matchExpressions?[]NodeSelectorRequirement matchFields?[]NodeSelectorRequirement
ObjectFieldSelector: apiVersion? fieldPath!
ObjectMeta: name? generateName? namespace? selfLink? uid? resourceVersion? generation?int64 creationTimestamp~time
  deletionTimestamp?*time deletionGracePeriodSeconds?*int64 labels?map:string annotations?map:string
  ownerReferences?[]OwnerReference@uid finalizers?[]string@ managedFields?[]ManagedFieldsEntry
OwnerReference: apiVersion! kind! name! uid! controller?*bool blockOwnerDeletion?*bool
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution?[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution?[]WeightedPodAffinityTerm
PodAffinityTerm: labelSelector?*LabelSelector namespaces?[]string topologyKey! namespaceSelector?*LabelSelector
  matchLabelKeys?[]string mismatchLabelKeys?[]string
PodAntiAffinity: requiredDuringSchedulingIgnoredDuringExecution?[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution?[]WeightedPodAffinityTerm
PodDNSConfig: nameservers?[]string searches?[]string options?[]PodDNSConfigOption
PodDNSConfigOption: name? value?*string
PodOS: name!
PodReadinessGate: conditionType!
PodResourceClaim: name! resourceClaimName?*string resourceClaimTemplateName?*string
PodSchedulingGate: name!
PodSecurityContext: seLinuxOptions?*SELinuxOptions windowsOptions?*WindowsSecurityContextOptions runAsUser?*int64
  runAsGroup?*int64 runAsNonRoot?*bool supplementalGroups?[]int64 supplementalGroupsPolicy?*string fsGroup?*int64
  sysctls?[]Sysctl fsGroupChangePolicy?*string seccompProfile?*SeccompProfile appArmorProfile?*AppArmorProfile
  seLinuxChangePolicy?*string
PodSpec: volumes?[]Volume@name+ initContainers?[]Container@name containers![]Container@name
  ephemeralContainers?[]EphemeralContainer@name restartPolicy? terminationGracePeriodSeconds?*int64
  activeDeadlineSeconds?*int64 dnsPolicy? nodeSelector?map:string serviceAccountName? serviceAccount?
  automountServiceAccountToken?*bool nodeName? hostNetwork?bool hostPID?bool hostIPC?bool
  shareProcessNamespace?*bool securityContext?*PodSecurityContext imagePullSecrets?[]LocalObjectReference@name
  hostname? subdomain? affinity?*Affinity schedulerName? tolerations?[]Toleration hostAliases?[]HostAlias@ip
  priorityClassName? priority?*int32 dnsConfig?*PodDNSConfig readinessGates?[]PodReadinessGate
  runtimeClassName?*string enableServiceLinks?*bool preemptionPolicy?*string overhead?map:quantity
  topologySpreadConstraints?[]TopologySpreadConstraint@topologyKey setHostnameAsFQDN?*bool os?*PodOS hostUsers?*bool
  schedulingGates?[]PodSchedulingGate@name resourceClaims?[]PodResourceClaim@name+ resources?*ResourceRequirements
  hostnameOverride?*string
PodTemplateSpec: metadata!!ObjectMeta spec!!PodSpec
PreferredSchedulingTerm: weight!int32 preference!NodeSelectorTerm
Probe: exec?*ExecAction httpGet?*HTTPGetAction tcpSocket?*TCPSocketAction grpc?*GRPCAction initialDelaySeconds?int32
  timeoutSeconds?int32 periodSeconds?int32 successThreshold?int32 failureThreshold?int32
  terminationGracePeriodSeconds?*int64
ResourceClaim: name! request?
ResourceFieldSelector: containerName? resource! divisor!!quantity
ResourceRequirements: limits?map:quantity requests?map:quantity claims?[]ResourceClaim
SELinuxOptions: user? role? type? level?
SeccompProfile: type! localhostProfile?*string
SecretEnvSource: name? optional?*bool
SecretKeySelector: name? key! optional?*bool
SecurityContext: capabilities?*Capabilities privileged?*bool seLinuxOptions?*SELinuxOptions
  windowsOptions?*WindowsSecurityContextOptions runAsUser?*int64 runAsGroup?*int64 runAsNonRoot?*bool
  readOnlyRootFilesystem?*bool allowPrivilegeEscalation?*bool procMount?*string seccompProfile?*SeccompProfile
  appArmorProfile?*AppArmorProfile
SleepAction: seconds!int64
Sysctl: name! value!
TCPSocketAction: port!intOrString host?
Toleration: key? operator? value? effect? tolerationSeconds?*int64
TopologySpreadConstraint: maxSkew!int32 topologyKey! whenUnsatisfiable! labelSelector?*LabelSelector
  minDomains?*int32 nodeAffinityPolicy?*string nodeTaintsPolicy?*string matchLabelKeys?[]string
TypedLocalObjectReference: apiGroup!*string kind! name!
VolumeDevice: name! devicePath!
VolumeMount: name! readOnly?bool recursiveReadOnly?*string mountPath! subPath? mountPropagation?*string subPathExpr?
WeightedPodAffinityTerm: weight!int32 podAffinityTerm!PodAffinityTerm
WindowsSecurityContextOptions: gmsaCredentialSpecName?*string gmsaCredentialSpec?*string runAsUserName?*string
  hostProcess?*bool
`
