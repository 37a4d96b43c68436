// The members of canary steps in the order in which the reference writes them as JSON.
// A line is `Type: member ...`, continued on indented lines; a member is its JSON name, a mark and its type.
// Marks: `!` always written, `!!` the same for objects held by value, `?` left out when zero, `~` left out when it is
// the zero time. Types: none is text, `[]T` a list, `map:T` an object, `*T` optional; see go-json.ts.

/** Types reachable from CanaryStep; LabelSelector is one of the pod template's. */
export const STEP_TYPES = `
AnalysisRunArgument: name! value? valueFrom?*ArgumentValueFrom
AnalysisRunMetadata: labels?map:string annotations?map:string
AnalysisTemplateRef: templateName! clusterScope?*bool
ArgumentValueFrom: podTemplateHashValue?*string fieldRef?*FieldRef
CanaryStep: setWeight?*int32 pause?*RolloutPause experiment?*RolloutExperimentStep analysis?*RolloutAnalysis
    setCanaryScale?*SetCanaryScale setHeaderRoute?*SetHeaderRoute setMirrorRoute?*SetMirrorRoute plugin?*PluginStep
DryRun: metricName!
FieldRef: fieldPath!
HeaderRoutingMatch: headerName! headerValue!*StringMatch
MeasurementRetention: metricName! limit!int32
PluginStep: name! config?raw
PodTemplateMetadata: labels?map:string annotations?map:string
RolloutAnalysis: templates?[]AnalysisTemplateRef args?[]AnalysisRunArgument dryRun?[]DryRun
    measurementRetention?[]MeasurementRetention analysisRunMetadata?*AnalysisRunMetadata
RolloutExperimentStep: templates![]RolloutExperimentTemplate duration?
    analyses?[]RolloutExperimentStepAnalysisTemplateRef dryRun?[]DryRun analysisRunMetadata!!AnalysisRunMetadata
    scaleDownDelaySeconds?*int32
RolloutExperimentStepAnalysisTemplateRef: name! templateName! clusterScope?*bool args?[]AnalysisRunArgument
    requiredForCompletion?bool
RolloutExperimentTemplate: name! specRef! replicas?*int32 metadata!!PodTemplateMetadata selector?*LabelSelector
    weight?*int32 service?*TemplateService
RolloutPause: duration?*intOrString
RouteMatch: method?*StringMatch path?*StringMatch headers?map:StringMatch
SetCanaryScale: weight?*int32 replicas?*int32 matchTrafficWeight?bool
SetHeaderRoute: name? match?[]HeaderRoutingMatch
SetMirrorRoute: name! match?[]RouteMatch percentage?*int32
StringMatch: exact? prefix? regex?
TemplateService: name?
`
