{{/* The TrainingJob that `helm test` makes: one metric, no model. */}}
{{- define "modelyard.testTrainingJob" -}}
apiVersion: modelyard.io/v1alpha1
kind: TrainingJob
metadata:
  name: {{ include "modelyard.testName" . }}
  namespace: {{ include "modelyard.testNamespace" . }}
  labels:
    {{- include "modelyard.testLabels" . | nindent 4 }}
spec:
  trainer:
    command: [python3, train.py]
    resources:
      requests:
        cpu: 100m
        memory: 128Mi
      limits:
        memory: 512Mi
  source:
    configMap:
      name: {{ include "modelyard.testName" . }}-training
  retry:
    limit: 0
  tracking:
    metrics: [answer]
{{- end -}}
