// The fields of the Kubernetes types that stand inside ours: pod specs and Job specs, as a table of facts.
// source: the Kubernetes API 1.34 (types of core/v1 and batch/v1 with their list keys and defaults).

/**
 * A type is a list of fields `name`, `name!` (required), each with its type after a colon, none meaning text:
 * int32, int64, bool, quantity, intOrString, any (unchecked), {T} a map, [T] a list, or another type of the table.
 * A list ends in `=` when it is replaced as a whole, `!` when it is a set, `(a,b)` when these fields are its key.
 * `=` and JSON text after all that is the default; `@atomic` marks an object that is replaced as a whole.
 */
export const POD_TYPES: Readonly<Record<string, string>> = {
  Affinity: 'nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity',
  AppArmorProfile: 'localhostProfile type!',
  Capabilities: 'add:[]= drop:[]=',
  ConfigMapEnvSource: 'name="" optional:bool',
  ConfigMapKeySelector: 'key! name="" optional:bool @atomic',
  Container: `
    args:[]= command:[]= env:[EnvVar](name) envFrom:[EnvFromSource]= image imagePullPolicy lifecycle:Lifecycle
    livenessProbe:Probe name! ports:[ContainerPort](containerPort,protocol) readinessProbe:Probe
    resizePolicy:[ContainerResizePolicy]= resources:ContainerResources restartPolicy
    restartPolicyRules:[ContainerRestartRule]= securityContext:SecurityContext startupProbe:Probe stdin:bool
    stdinOnce:bool terminationMessagePath terminationMessagePolicy tty:bool volumeDevices:[VolumeDevice](devicePath)
    volumeMounts:[VolumeMount](mountPath) workingDir`,
  ContainerPort: 'containerPort!:int32 hostIP hostPort:int32 name protocol="TCP"',
  ContainerResizePolicy: 'resourceName! restartPolicy!',
  ContainerResources: 'claims:[ResourceClaim](name) limits:any requests:any',
  ContainerRestartRule: 'action! exitCodes:ContainerRestartRuleOnExitCodes',
  ContainerRestartRuleOnExitCodes: 'operator! values:[int32]!',
  EnvFromSource: 'configMapRef:ConfigMapEnvSource prefix secretRef:SecretEnvSource',
  EnvVar: 'name! value valueFrom:EnvVarSource',
  EnvVarSource: `
    configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector fileKeyRef:FileKeySelector
    resourceFieldRef:ResourceFieldSelector secretKeyRef:SecretKeySelector`,
  EphemeralContainer: `
    args:[]= command:[]= env:[EnvVar](name) envFrom:[EnvFromSource]= image imagePullPolicy lifecycle:Lifecycle
    livenessProbe:Probe name! ports:[ContainerPort](containerPort,protocol) readinessProbe:Probe
    resizePolicy:[ContainerResizePolicy]= resources:ContainerResources restartPolicy
    restartPolicyRules:[ContainerRestartRule]= securityContext:SecurityContext startupProbe:Probe stdin:bool
    stdinOnce:bool targetContainerName terminationMessagePath terminationMessagePolicy tty:bool
    volumeDevices:[VolumeDevice](devicePath) volumeMounts:[VolumeMount](mountPath) workingDir`,
  ExecAction: 'command:[]=',
  FileKeySelector: 'key! optional:bool=false path! volumeName! @atomic',
  GRPCAction: 'port!:int32 service=""',
  HTTPGetAction: 'host httpHeaders:[HTTPHeader]= path port!:intOrString scheme',
  HTTPHeader: 'name! value!',
  HostAlias: 'hostnames:[]= ip!',
  JobSpec: `
    activeDeadlineSeconds:int64 backoffLimit:int32 backoffLimitPerIndex:int32 completionMode completions:int32
    managedBy manualSelector:bool maxFailedIndexes:int32 parallelism:int32 podFailurePolicy:PodFailurePolicy
    podReplacementPolicy selector:LabelSelector successPolicy:SuccessPolicy suspend:bool template!:PodTemplateSpec
    ttlSecondsAfterFinished:int32`,
  LabelSelector: 'matchExpressions:[LabelSelectorRequirement]= matchLabels:{} @atomic',
  LabelSelectorRequirement: 'key! operator! values:[]=',
  Lifecycle: 'postStart:LifecycleHandler preStop:LifecycleHandler stopSignal',
  LifecycleHandler: 'exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction',
  LocalObjectReference: 'name="" @atomic',
  NodeAffinity: `
    preferredDuringSchedulingIgnoredDuringExecution:[PreferredSchedulingTerm]=
    requiredDuringSchedulingIgnoredDuringExecution:NodeSelector`,
  NodeSelector: 'nodeSelectorTerms!:[NodeSelectorTerm]= @atomic',
  NodeSelectorRequirement: 'key! operator! values:[]=',
  NodeSelectorTerm: 'matchExpressions:[NodeSelectorRequirement]= matchFields:[NodeSelectorRequirement]= @atomic',
  ObjectFieldSelector: 'apiVersion fieldPath! @atomic',
  PodAffinity: `
    preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]=
    requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]=`,
  PodAffinityTerm: `
    labelSelector:LabelSelector matchLabelKeys:[]= mismatchLabelKeys:[]= namespaceSelector:LabelSelector
    namespaces:[]= topologyKey!`,
  PodAntiAffinity: `
    preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]=
    requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]=`,
  PodDNSConfig: 'nameservers:[]= options:[PodDNSConfigOption]= searches:[]=',
  PodDNSConfigOption: 'name value',
  PodFailurePolicy: 'rules!:[PodFailurePolicyRule]=',
  PodFailurePolicyOnExitCodesRequirement: 'containerName operator! values!:[int32]!',
  PodFailurePolicyOnPodConditionsPattern: 'status="" type!',
  PodFailurePolicyRule: `
    action! onExitCodes:PodFailurePolicyOnExitCodesRequirement
    onPodConditions:[PodFailurePolicyOnPodConditionsPattern]=`,
  PodOS: 'name!',
  PodReadinessGate: 'conditionType!',
  PodResourceClaim: 'name! resourceClaimName resourceClaimTemplateName',
  PodSchedulingGate: 'name!',
  PodSecurityContext: `
    appArmorProfile:AppArmorProfile fsGroup:int64 fsGroupChangePolicy runAsGroup:int64 runAsNonRoot:bool
    runAsUser:int64 seLinuxChangePolicy seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile
    supplementalGroups:[int64]= supplementalGroupsPolicy sysctls:[Sysctl]=
    windowsOptions:WindowsSecurityContextOptions`,
  PodSpec: `
    activeDeadlineSeconds:int64 affinity:Affinity automountServiceAccountToken:bool containers!:[Container](name)
    dnsConfig:PodDNSConfig dnsPolicy enableServiceLinks:bool ephemeralContainers:[EphemeralContainer](name)
    hostAliases:[HostAlias](ip) hostIPC:bool hostNetwork:bool hostPID:bool hostUsers:bool hostname hostnameOverride
    imagePullSecrets:[LocalObjectReference](name) initContainers:[Container](name) nodeName nodeSelector:{} os:PodOS
    overhead:{quantity} preemptionPolicy priority:int32 priorityClassName readinessGates:[PodReadinessGate]=
    resourceClaims:[PodResourceClaim](name) resources:ResourceRequirements restartPolicy runtimeClassName
    schedulerName schedulingGates:[PodSchedulingGate](name) securityContext:PodSecurityContext serviceAccount
    serviceAccountName setHostnameAsFQDN:bool shareProcessNamespace:bool subdomain terminationGracePeriodSeconds:int64
    tolerations:[Toleration]= topologySpreadConstraints:[TopologySpreadConstraint](topologyKey,whenUnsatisfiable)
    volumes:any`,
  PodTemplateSpec: 'metadata:TemplateMeta spec:PodSpec',
  PreferredSchedulingTerm: 'preference!:NodeSelectorTerm weight!:int32',
  Probe: `
    exec:ExecAction failureThreshold:int32 grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:int32
    periodSeconds:int32 successThreshold:int32 tcpSocket:TCPSocketAction terminationGracePeriodSeconds:int64
    timeoutSeconds:int32`,
  ResourceClaim: 'name! request',
  ResourceFieldSelector: 'containerName divisor:quantity resource! @atomic',
  ResourceRequirements: 'claims:[ResourceClaim](name) limits:{quantity} requests:{quantity}',
  SELinuxOptions: 'level role type user',
  SeccompProfile: 'localhostProfile type!',
  SecretEnvSource: 'name="" optional:bool',
  SecretKeySelector: 'key! name="" optional:bool @atomic',
  SecurityContext: `
    allowPrivilegeEscalation:bool appArmorProfile:AppArmorProfile capabilities:Capabilities privileged:bool procMount
    readOnlyRootFilesystem:bool runAsGroup:int64 runAsNonRoot:bool runAsUser:int64 seLinuxOptions:SELinuxOptions
    seccompProfile:SeccompProfile windowsOptions:WindowsSecurityContextOptions`,
  SleepAction: 'seconds!:int64',
  SuccessPolicy: 'rules!:[SuccessPolicyRule]=',
  SuccessPolicyRule: 'succeededCount:int32 succeededIndexes',
  Sysctl: 'name! value!',
  TCPSocketAction: 'host port!:intOrString',
  TemplateMeta: 'annotations:{} labels:{}',
  Toleration: 'effect key operator tolerationSeconds:int64 value',
  TopologySpreadConstraint: `
    labelSelector:LabelSelector matchLabelKeys:[]= maxSkew!:int32 minDomains:int32 nodeAffinityPolicy nodeTaintsPolicy
    topologyKey! whenUnsatisfiable!`,
  VolumeDevice: 'devicePath! name!',
  VolumeMount: 'mountPath! mountPropagation name! readOnly:bool recursiveReadOnly subPath subPathExpr',
  WeightedPodAffinityTerm: 'podAffinityTerm!:PodAffinityTerm weight!:int32',
  WindowsSecurityContextOptions: 'gmsaCredentialSpec gmsaCredentialSpecName hostProcess:bool runAsUserName',
}
