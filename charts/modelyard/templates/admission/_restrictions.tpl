{{/*
What pod templates may not say under `Restrict`: of the rules of operator/modelyard/core/pod_rules.py those that keep a
pod from gaining more than its namespace gives everybody. The operator checks all of them again.
*/}}

{{- define "modelyard.restrictionVariables" -}}
- name: pod
  expression: object.spec.?podTemplate.?spec.orValue({})
- name: misshapen
  expression: >-
    ['initContainers', 'containers', 'volumes'].filter(field, field in variables.pod &&
    !(type(variables.pod[field]) == list && variables.pod[field].all(item, type(item) == map)))
- name: accounts
  expression: >-
    ['serviceAccountName', 'serviceAccount'].filter(field, field in variables.pod).map(field, variables.pod[field])
- name: otherAccounts
  expression: variables.accounts.filter(account, !(account in {{ .Values.admission.serviceAccounts | toJson }}))
- name: volumes
  expression: variables.pod.?volumes.orValue([])
- name: containers
  expression: variables.pod.?initContainers.orValue([]) + variables.pod.?containers.orValue([])
- name: contexts
  expression: >-
    [variables.pod.?securityContext.orValue({})] +
    variables.containers.map(container, container.?securityContext.orValue({}))
- name: hostFields
  expression: >-
    ['hostNetwork', 'hostPID', 'hostIPC', 'hostUsers', 'nodeName', 'shareProcessNamespace', 'ephemeralContainers']
    .filter(field, field in variables.pod && !(variables.pod[field] in [dyn(false), dyn(null), dyn('')]))
- name: kindsOfVolumes
  expression: >-
    ['name', 'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected',
    'secret']
- name: hostVolumes
  expression: >-
    variables.volumes.filter(volume, !volume.all(key, key in variables.kindsOfVolumes))
    .map(volume, string(volume.?name.orValue('?')))
- name: privileges
  expression: >-
    ['privileged', 'allowPrivilegeEscalation', 'procMount', 'sysctls', 'windowsOptions', 'seLinuxOptions', 'appArmorProfile']
    .filter(field, variables.contexts.exists(context,
    field in context && !(context[field] in [dyn(false), dyn(null), dyn('Default')])))
{{- end -}}

{{- define "modelyard.restrictions" -}}
- expression: variables.misshapen.size() == 0
  messageExpression: >-
    'spec.podTemplate.spec.' + variables.misshapen[0] + ' must be a list of objects, as in a Pod'
- expression: variables.contexts.all(context, type(context) == map)
  message: "spec.podTemplate.spec: every securityContext must be an object, as in a Pod"
- expression: variables.otherAccounts.size() == 0
  messageExpression: >-
    'spec.podTemplate.spec.serviceAccountName: ' + string(variables.otherAccounts[0]) + ' is not one of the service accounts that '
    + 'pods may name here ({{ join ", " .Values.admission.serviceAccounts | default "none" }}): name one of those, or leave it out'
- expression: >-
    variables.accounts.size() > 0 || variables.volumes.all(volume,
    volume.?projected.?sources.orValue([]).all(source, !has(source.serviceAccountToken) && !has(source.podCertificate)))
  message: >-
    spec.podTemplate.spec.volumes: a service account's token or certificate is given only to pods that name the account:
    set spec.podTemplate.spec.serviceAccountName, or remove the projected source
- expression: variables.hostFields.size() == 0
  messageExpression: >-
    'spec.podTemplate.spec.' + variables.hostFields.join(', spec.podTemplate.spec.')
    + ': pods may not reach into their host or each other: remove it'
- expression: variables.hostVolumes.size() == 0
  messageExpression: >-
    'spec.podTemplate.spec.volumes[' + variables.hostVolumes[0] + ']: this kind of volume is not allowed: use a '
    + 'persistentVolumeClaim, configMap, secret or emptyDir'
- expression: >-
    variables.containers.all(container, container.?ports.orValue([]).all(port, port.?hostPort.orValue(0) == 0))
  message: "spec.podTemplate.spec.containers: hostPort is not allowed: remove it and use a Service"
- expression: variables.privileges.size() == 0
  messageExpression: >-
    'spec.podTemplate.spec: securityContext.' + variables.privileges.join(', securityContext.') + ' is not allowed, '
    + 'neither of the pod nor of a container: remove it'
- expression: >-
    variables.contexts.all(context, context.?capabilities.?add.orValue([]).size() == 0)
  message: "spec.podTemplate.spec: securityContext.capabilities.add is not allowed: remove it"
- expression: >-
    variables.contexts.all(context, context.?runAsUser.orValue(1) != 0 && context.?runAsNonRoot.orValue(true) == true)
  message: >-
    spec.podTemplate.spec: securityContext may not make it run as root: set runAsUser to a number above 0 and leave
    runAsNonRoot out
{{- end -}}
