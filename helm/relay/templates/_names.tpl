{{/* Names and labels. */}}

{{- define "relay.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for the longest of its endings, and for a label. */}}
{{- define "relay.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "relay.name" . -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects every pod that serves; and nothing else, so that a new chart restarts nobody. */}}
{{- define "relay.selectorLabels" -}}
app.kubernetes.io/name: {{ include "relay.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of pods that end: another name, so that no Service takes them for a relay. */}}
{{- define "relay.jobLabels" -}}
app.kubernetes.io/name: {{ include "relay.name" . }}-job
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of the check, which may go nowhere: another name again, or the migration's policy would let it out. */}}
{{- define "relay.checkLabels" -}}
app.kubernetes.io/name: {{ include "relay.name" . }}-check
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "relay.testLabels" -}}
app.kubernetes.io/name: {{ include "relay.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* metadata.labels of everything: (list ROOT COMPONENT LABELS) */}}
{{- define "relay.labels" -}}
{{- $root := index . 0 -}}
{{- $own := dict
  "app.kubernetes.io/name" (include "relay.name" $root)
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/managed-by" $root.Release.Service
  "app.kubernetes.io/component" (index . 1)
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") -}}
{{- $more := dict -}}
{{- if gt (len .) 2 }}{{ $more = index . 2 }}{{ end -}}
{{- toYaml (merge $own $more $root.Values.commonLabels) -}}
{{- end -}}

{{/* metadata.annotations, where there are any, in their place: (list ROOT ANNOTATIONS) */}}
{{- define "relay.annotations" -}}
{{- $root := index . 0 -}}
{{- with merge (dict) (index . 1) $root.Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end -}}
{{- end -}}

{{- define "relay.serviceAccountName" -}}
{{- default (ternary (include "relay.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "relay.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* The roles of this mode: what has pods of its own. */}}
{{- define "relay.roles" -}}
{{- ternary (list "ingest" "deliver") (list "embedded") (eq .Values.mode "distributed") | toJson -}}
{{- end -}}

{{/* A role's name: (list ROOT ROLE) */}}
{{- define "relay.roleName" -}}
{{- $name := include "relay.fullname" (index . 0) -}}
{{- eq (index . 1) "embedded" | ternary $name (printf "%s-%s" $name (index . 1)) -}}
{{- end -}}

{{/* The labels that a role's pods are selected by: (list ROOT ROLE) */}}
{{- define "relay.roleLabels" -}}
{{ include "relay.selectorLabels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}
