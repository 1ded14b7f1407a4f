{{/* What all pods of the chart have in common. */}}

{{/* The pod's part: (list ROOT) */}}
{{- define "relay.podBasics" -}}
serviceAccountName: {{ include "relay.serviceAccountName" . }}
automountServiceAccountToken: false
{{/* A Service called `relay` would set RELAY_PORT, which is not a key of the configuration. */ -}}
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where it may run: (list ROOT BLOCK), where BLOCK has a say of its own */}}
{{- define "relay.placement" -}}
{{- $root := index . 0 -}}
{{- $own := index . 1 -}}
{{- with $own.nodeSelector | default $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations | default $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity | default $root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The container's part */}}
{{- define "relay.containerBasics" -}}
image: {{ include "relay.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
env:
{{/* What is typed in the pod finds it, too. */ -}}
- {name: RELAY_CONFIG, value: /etc/relay/relay.json}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The volumes that every relay reads: (list ROOT CONFIGMAP SECRETS), SECRETS by name as `relay.secrets` has them. */}}
{{- define "relay.volumes" -}}
{{- $root := index . 0 -}}
- name: config
  configMap:
    name: {{ index . 1 }}
- name: tmp
  emptyDir:
    sizeLimit: {{ $root.Values.tmpSize }}
{{- with index . 2 }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
    {{- range $name, $secret := . }}
    - secret:
        name: {{ $secret.existingSecret }}
        items:
        - key: {{ $secret.key }}
          path: {{ $name }}
          mode: 0440
    {{- end }}
{{- end }}
{{- with $root.Values.volumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where they are mounted: (list ROOT SECRETS) */}}
{{- define "relay.volumeMounts" -}}
- name: config
  mountPath: /etc/relay
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if index . 1 }}
- name: secrets
  mountPath: /run/secrets/relay
  readOnly: true
{{- end }}
{{- with (index . 0).Values.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* How new pods come in. The default's other part stays in the values, and Kubernetes takes it beside no other type. */}}
{{- define "relay.strategy" -}}
{{- ternary (omit . "rollingUpdate") . (eq .type "Recreate") | toYaml -}}
{{- end -}}

{{/* spec.template of a role: (list ROOT ROLE) */}}
{{- define "relay.podTemplate" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $block := get $root.Values $role -}}
{{- $secrets := include "relay.secrets" $root | fromJson -}}
metadata:
  labels:
    {{- merge (include "relay.roleLabels" . | fromYaml) $root.Values.podLabels | toYaml | nindent 4 }}
  annotations:
    {{- merge (dict "checksum/config" (include "relay.configuration" $root | sha256sum)) $root.Values.podAnnotations | toYaml | nindent 4 }}
spec:
  {{- include "relay.podBasics" $root | nindent 2 }}
  terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds | default (include "relay.graceSeconds" $root) }}
  {{- with include "relay.placement" (list $root $block) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- if ne $role "embedded" }}
  {{- with $root.Values.topologySpreadConstraints }}
  topologySpreadConstraints:
  {{- range . }}
  {{- $ours := dict "labelSelector" (dict "matchLabels" (include "relay.roleLabels" (list $root $role) | fromYaml)) }}
  - {{ merge (dict) . $ours | toYaml | nindent 4 | trim }}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- with $root.Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
  - name: relay
    {{- include "relay.containerBasics" $root | nindent 4 }}
    args: [serve, --config, /etc/relay/relay.json{{ if ne $role "embedded" }}, --role, {{ $role }}{{ end }}]
    ports:
    {{- if ne $role "deliver" }}
    - name: public
      containerPort: {{ include "relay.publicPort" $root }}
    {{- end }}
    - name: operator
      containerPort: {{ include "relay.operatorPort" $root }}
    startupProbe:
      httpGet: {path: /healthz, port: operator}
      {{- toYaml $root.Values.probes.startup | nindent 6 }}
    readinessProbe:
      httpGet: {path: /readyz, port: operator}
      {{- toYaml $root.Values.probes.readiness | nindent 6 }}
    livenessProbe:
      httpGet: {path: /healthz, port: operator}
      {{- toYaml $root.Values.probes.liveness | nindent 6 }}
    {{- with $root.Values.preStopSleepSeconds | int }}
    lifecycle:
      preStop:
        sleep:
          seconds: {{ . }}
    {{- end }}
    resources:
      {{- toYaml $block.resources | nindent 6 }}
    volumeMounts:
    {{- include "relay.volumeMounts" (list $root $secrets) | nindent 4 }}
    {{- if eq $role "embedded" }}
    - name: journal
      mountPath: /var/lib/relay
    {{- end }}
  volumes:
  {{- include "relay.volumes" (list $root (include "relay.fullname" $root) $secrets) | nindent 2 }}
{{- end -}}
