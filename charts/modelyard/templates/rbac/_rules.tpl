{{/* What the operator may do in every namespace that it works in. No secrets, nothing inside pods, no wildcards. */}}
{{- define "modelyard.rules" -}}
- apiGroups: [modelyard.io]
  resources: [trainingjobs, promotionpolicies, promotions, modeldeployments]
  verbs: [get, list, watch]
# Policies make Promotions, and those beyond spec.historyLimit go.
- apiGroups: [modelyard.io]
  resources: [promotions]
  verbs: [create, delete]
# Those that are over go once spec.ttlSecondsAfterFinished is.
- apiGroups: [modelyard.io]
  resources: [trainingjobs]
  verbs: [delete]
- apiGroups: [modelyard.io]
  resources: [trainingjobs/status, promotionpolicies/status, promotions/status, modeldeployments/status]
  verbs: [patch]
# What it makes blocks its owner's deletion, so that a foreground delete waits for it. Where the admission plugin
# OwnerReferencesPermissionEnforcement is on, that needs the right to set finalizers on the owner.
- apiGroups: [modelyard.io]
  resources: [trainingjobs/finalizers, promotions/finalizers, modeldeployments/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways]
  verbs: [get]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, list]
{{- end -}}

{{/* The operator, as a binding's subject. */}}
{{- define "modelyard.subjects" -}}
- kind: ServiceAccount
  name: {{ include "modelyard.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
