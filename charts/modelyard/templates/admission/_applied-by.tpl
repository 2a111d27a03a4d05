{{/* Not empty where a policy of the API server records who creates an object. */}}
{{- define "modelyard.recordsUser" -}}
{{- $mode := .Values.admission.recordUser -}}
{{- $isServed := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
{{- if or (eq $mode "Always") (and (eq $mode "Auto") $isServed) -}}
yes
{{- end -}}
{{- end -}}

{{/* Who created an object as it says itself, and as it has to say: (dict "of" "object"). */}}
{{- define "modelyard.appliedBy" -}}
{{ .of }}.metadata.?annotations[?'modelyard.io/applied-by'].orValue('')
{{- end -}}

{{- define "modelyard.appliedByWanted" -}}
(request.operation == 'CREATE' ? request.userInfo.username : {{ include "modelyard.appliedBy" (dict "of" "oldObject") }})
{{- end -}}
