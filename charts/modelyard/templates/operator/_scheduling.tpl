{{/* Where the pods go: the user's word, or a preference for different nodes that never keeps a pod from running. */}}
{{- define "modelyard.affinity" -}}
{{- if .Values.affinity -}}
{{- toYaml .Values.affinity }}
{{- else -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
  - weight: 100
    podAffinityTerm:
      topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "modelyard.selectorLabels" . | nindent 10 }}
{{- end -}}
{{- end -}}

{{/* How they are spread; a constraint without a selector is about these pods. */}}
{{- define "modelyard.spread" -}}
{{- $selector := dict "matchLabels" (include "modelyard.selectorLabels" . | fromYaml) -}}
{{- $zones := dict "maxSkew" 1 "topologyKey" "topology.kubernetes.io/zone" "whenUnsatisfiable" "ScheduleAnyway" -}}
{{- $constraints := list -}}
{{- range default (list $zones) .Values.topologySpreadConstraints -}}
{{- $constraints = append $constraints (merge (deepCopy .) (dict "labelSelector" $selector)) -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end -}}
