{{/* The name of everything that `helm test` makes. */}}
{{- define "modelyard.testName" -}}
{{- printf "%s-test" (include "modelyard.fullname" .) -}}
{{- end -}}

{{/* Labels of it. */}}
{{- define "modelyard.testLabels" -}}
{{- include "modelyard.labels" . }}
app.kubernetes.io/component: test
{{- end -}}

{{/* Made for a test run and gone with its success; what a failure leaves is replaced by the next run. */}}
{{- define "modelyard.testAnnotations" -}}
helm.sh/hook: test
helm.sh/hook-weight: "-5"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
