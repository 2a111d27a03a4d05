{{/* The operator's settings. */}}
{{- define "modelyard.environment" -}}
- name: MODELYARD_IDENTITY
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: MODELYARD_OPERATOR_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: MODELYARD_POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- $settings := dict
  "TRACKING_URI" .Values.mlflow.trackingUri
  "POD_TRACKING_URI" .Values.mlflow.podTrackingUri
  "TRACKING_UI_URL" .Values.mlflow.uiUrl
  "POD_CREDENTIALS_SECRET" .Values.mlflow.podSecretName
  "POD_CA_CONFIG_MAP" .Values.mlflow.podCaConfigMap
  "TRACKING_TIMEOUT_SECONDS" .Values.mlflow.timeoutSeconds
  "TRACKING_THREADS" .Values.mlflow.threads
  "TRACKING_WORKSPACES" .Values.mlflow.workspaces
  "TRAINER_IMAGE" (include "modelyard.image" (dict "root" . "image" .Values.images.trainer))
  "SERVER_IMAGE" (include "modelyard.image" (dict "root" . "image" .Values.images.modelServer))
  "SELDON_SERVER_IMAGE" (include "modelyard.image" (dict "root" . "image" .Values.images.modelServerSeldon))
  "FETCHER_IMAGE" (include "modelyard.image" (dict "root" . "image" .Values.images.modelFetcher))
  "SOURCE_IMAGE" (include "modelyard.image" (dict "root" . "image" .Values.images.sourceFetcher))
  "IMAGE_PULL_POLICY" .Values.imagePullPolicy
  "MODEL_NAMES" .Values.admission.modelNames
  "DEFAULT_BACKEND" .Values.serving.defaultBackend
  "SERVICE_URL" .Values.serving.serviceUrl
  "SERVER_IMAGES" (include "modelyard.serverImages" .)
  "POD_URL" .Values.serving.podUrl
  "PROMETHEUS_URL" .Values.prometheus.url
  "PROMETHEUS_CUSTOM_QUERIES" .Values.prometheus.customQueries
  "PROMETHEUS_SCRAPE_SECONDS" .Values.prometheus.scrapeSeconds
  "TRAINING_PODS" (include "modelyard.podSettings" (dict "root" . "resource" "trainingJobs"))
  "SERVING_PODS" (include "modelyard.podSettings" (dict "root" . "resource" "modelDeployments"))
  "NAMESPACES" (join "," .Values.watchNamespaces)
  "CLUSTER_ID" .Values.clusterId
  "WORKERS" .Values.workers
  "RESYNC_SECONDS" .Values.resyncSeconds
  "ALIAS_POLL_SECONDS" .Values.aliasPollSeconds
  "LEASE_SECONDS" .Values.leaseSeconds
  "LOG_LEVEL" .Values.logLevel
}}
{{- if include "modelyard.recordsUser" . }}
{{- $_ := set $settings "RECORD_USER" "true" }}
{{- end }}
{{- if .Values.mlflow.existingSecret }}
{{- $_ := set $settings "TRACKING_CREDENTIALS_DIR" "/etc/modelyard/tracking-credentials" }}
{{- end }}
{{- if .Values.mlflow.webhook.enabled }}
{{- $_ := set $settings "WEBHOOK_PORT" .Values.mlflow.webhook.port }}
{{- $_ := set $settings "WEBHOOK_SECRET_FILE" "/etc/modelyard/webhook/secret" }}
{{- end }}
{{- if .Values.prometheus.existingSecret }}
{{- $_ := set $settings "PROMETHEUS_CREDENTIALS_DIR" "/etc/modelyard/prometheus-credentials" }}
{{- end }}
{{- if .Values.prometheus.caBundle.configMap }}
{{- $_ := set $settings "PROMETHEUS_CA_FILE" "/etc/modelyard/prometheus-ca/ca.crt" }}
{{- end }}
{{- range $name, $value := $settings }}
{{- if ne (toString $value) "" }}
- name: MODELYARD_{{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if .Values.mlflow.caBundle.configMap }}
- name: MLFLOW_TRACKING_SERVER_CERT_PATH
  value: /etc/modelyard/tracking-ca/ca.crt
{{- end }}
{{- with .Values.extraEnvironment }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What model server images can run: the administrator's descriptions first, then this release's own images. */}}
{{- define "modelyard.serverImages" -}}
{{- $known := .Files.Get "files/server-images.json" | fromJson -}}
{{- $described := .Values.serving.images -}}
{{- range $name, $image := dict "model-server" .Values.images.modelServer "model-server-seldon" .Values.images.modelServerSeldon -}}
{{- $reference := include "modelyard.image" (dict "root" $ "image" $image) -}}
{{- $described = append $described (merge (dict "image" $reference) (index $known $name)) -}}
{{- end -}}
{{- toJson $described -}}
{{- end -}}

{{/*
What the administrator decides about pods of a kind, as the operator reads it: (dict "root" $ "resource" "trainingJobs").
The accounts that a policy restricts are checked by the operator again.
*/}}
{{- define "modelyard.podSettings" -}}
{{- $settings := deepCopy (index .root.Values.pods .resource) -}}
{{- if eq (index .root.Values.admission .resource) "Restrict" -}}
{{- $_ := set $settings "serviceAccounts" .root.Values.admission.serviceAccounts -}}
{{- end -}}
{{- toJson $settings -}}
{{- end -}}
