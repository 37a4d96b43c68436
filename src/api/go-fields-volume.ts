// The fields of volumes in a pod, as facts of the Kubernetes API 1.34.

/** One type a line (indented lines go on); read by rollout/go-json.ts (as JSON order) and apiserver/field-table.ts (which explains the notation). */
export const volumeFields = `
AWSElasticBlockStoreVolumeSource: volumeID! fsType? partition?int32 readOnly?bool
AzureDiskVolumeSource: diskName! diskURI! cachingMode?*string fsType?*string readOnly?*bool kind?*string
AzureFileVolumeSource: secretName! shareName! readOnly?bool
CSIVolumeSource: driver! readOnly?*bool fsType?*string volumeAttributes?map:string
  nodePublishSecretRef?*LocalObjectReference
CephFSVolumeSource: monitors![]string path? user? secretFile? secretRef?*LocalObjectReference readOnly?bool
CinderVolumeSource: volumeID! fsType? readOnly?bool secretRef?*LocalObjectReference
ClusterTrustBundleProjection: name?*string signerName?*string labelSelector?*LabelSelector optional?*bool path!
ConfigMapProjection: name? items?[]KeyToPath optional?*bool
ConfigMapVolumeSource: name? items?[]KeyToPath defaultMode?*int32 optional?*bool
DownwardAPIProjection: items?[]DownwardAPIVolumeFile
DownwardAPIVolumeFile: path! fieldRef?*ObjectFieldSelector resourceFieldRef?*ResourceFieldSelector mode?*int32
DownwardAPIVolumeSource: items?[]DownwardAPIVolumeFile defaultMode?*int32
EmptyDirVolumeSource: medium? sizeLimit?*quantity
EphemeralVolumeSource: volumeClaimTemplate?*PersistentVolumeClaimTemplate
FCVolumeSource: targetWWNs?[]string lun?*int32 fsType? readOnly?bool wwids?[]string
FlexVolumeSource: driver! fsType? secretRef?*LocalObjectReference readOnly?bool options?map:string
FlockerVolumeSource: datasetName? datasetUUID?
GCEPersistentDiskVolumeSource: pdName! fsType? partition?int32 readOnly?bool
GitRepoVolumeSource: repository! revision? directory?
GlusterfsVolumeSource: endpoints! path! readOnly?bool
HostPathVolumeSource: path! type?*string
ISCSIVolumeSource: targetPortal! iqn! lun!int32 iscsiInterface? fsType? readOnly?bool portals?[]string
  chapAuthDiscovery?bool chapAuthSession?bool secretRef?*LocalObjectReference initiatorName?*string
ImageVolumeSource: reference? pullPolicy?
KeyToPath: key! path! mode?*int32
NFSVolumeSource: server! path! readOnly?bool
PersistentVolumeClaimSpec: accessModes?[]string selector?*LabelSelector resources!!VolumeResourceRequirements
  volumeName? storageClassName?*string volumeMode?*string dataSource?*TypedLocalObjectReference
  dataSourceRef?*TypedObjectReference volumeAttributesClassName?*string
PersistentVolumeClaimTemplate: metadata!!ObjectMeta spec!PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource: claimName! readOnly?bool
PhotonPersistentDiskVolumeSource: pdID! fsType?
PodCertificateProjection: signerName? keyType? maxExpirationSeconds?*int32 credentialBundlePath? keyPath?
  certificateChainPath?
PortworxVolumeSource: volumeID! fsType? readOnly?bool
ProjectedVolumeSource: sources![]VolumeProjection defaultMode?*int32
QuobyteVolumeSource: registry! volume! readOnly?bool user? group? tenant?
RBDVolumeSource: monitors![]string image! fsType? pool? user? keyring? secretRef?*LocalObjectReference readOnly?bool
ScaleIOVolumeSource: gateway! system! secretRef!*LocalObjectReference sslEnabled?bool protectionDomain? storagePool?
  storageMode? volumeName? fsType? readOnly?bool
SecretProjection: name? items?[]KeyToPath optional?*bool
SecretVolumeSource: secretName? items?[]KeyToPath defaultMode?*int32 optional?*bool
ServiceAccountTokenProjection: audience? expirationSeconds?*int64 path!
StorageOSVolumeSource: volumeName? volumeNamespace? fsType? readOnly?bool secretRef?*LocalObjectReference
TypedObjectReference: apiGroup!*string kind! name! namespace?*string
Volume: name! hostPath?*HostPathVolumeSource emptyDir?*EmptyDirVolumeSource
  gcePersistentDisk?*GCEPersistentDiskVolumeSource awsElasticBlockStore?*AWSElasticBlockStoreVolumeSource
  gitRepo?*GitRepoVolumeSource secret?*SecretVolumeSource nfs?*NFSVolumeSource iscsi?*ISCSIVolumeSource
  glusterfs?*GlusterfsVolumeSource persistentVolumeClaim?*PersistentVolumeClaimVolumeSource rbd?*RBDVolumeSource
  flexVolume?*FlexVolumeSource cinder?*CinderVolumeSource cephfs?*CephFSVolumeSource flocker?*FlockerVolumeSource
  downwardAPI?*DownwardAPIVolumeSource fc?*FCVolumeSource azureFile?*AzureFileVolumeSource
  configMap?*ConfigMapVolumeSource vsphereVolume?*VsphereVirtualDiskVolumeSource quobyte?*QuobyteVolumeSource
  azureDisk?*AzureDiskVolumeSource photonPersistentDisk?*PhotonPersistentDiskVolumeSource
  projected?*ProjectedVolumeSource portworxVolume?*PortworxVolumeSource scaleIO?*ScaleIOVolumeSource
  storageos?*StorageOSVolumeSource csi?*CSIVolumeSource ephemeral?*EphemeralVolumeSource image?*ImageVolumeSource
VolumeProjection: secret?*SecretProjection downwardAPI?*DownwardAPIProjection configMap?*ConfigMapProjection
  serviceAccountToken?*ServiceAccountTokenProjection clusterTrustBundle?*ClusterTrustBundleProjection
  podCertificate?*PodCertificateProjection
VolumeResourceRequirements: limits?map:quantity requests?map:quantity
VsphereVirtualDiskVolumeSource: volumePath! fsType? storagePolicyName? storagePolicyID?
`
