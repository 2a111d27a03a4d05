{{/* Refuses a cluster that has no such policies: (dict "root" $ "value" "promotions" "to" "Off"). */}}
{{- define "modelyard.needsPolicies" -}}
{{- $version := .root.Capabilities.KubeVersion.Version -}}
{{- if semverCompare "<1.30.0-0" $version -}}
{{- $mode := index .root.Values.admission .value -}}
{{- fail (printf "admission.%s: %s needs Kubernetes 1.30, this is %s: upgrade it, or set admission.%s to %s" .value $mode $version .value .to) -}}
{{- end -}}
{{- end -}}

{{/* What puts a policy in force in the namespaces that are watched: (dict "root" $ "name" "…"). */}}
{{- define "modelyard.policyBinding" }}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "modelyard.labels" .root | nindent 4 }}
    app.kubernetes.io/component: admission
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
  {{- with .root.Values.watchNamespaces }}
  matchResources:
    namespaceSelector:
      matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: In
        values: {{ toJson . }}
  {{- end }}
{{- end }}
