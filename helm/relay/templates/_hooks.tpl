{{/* What runs before a roll-out, apart from the release: it has a configuration and a way out of its own, because the
release's are not there yet, or are still the old ones. */}}

{{/* Whether there is any. */}}
{{- define "relay.hooks" -}}
{{- if and (eq .Values.mode "distributed") (or .Values.migration.enabled .Values.migration.fromEmbedded.enabled) }}yes{{ end -}}
{{- end -}}

{{/* Secrets that an operator has yet to bring are not there at the first install. */}}
{{- define "relay.hookEvents" -}}
{{- ternary "pre-upgrade" "pre-install,pre-upgrade" .Values.externalSecrets.enabled -}}
{{- end -}}

{{/* (list ROOT EVENTS WEIGHT) */}}
{{- define "relay.hookAnnotations" -}}
{{- include "relay.annotations" (list (index . 0) (dict
  "helm.sh/hook" (index . 1)
  "helm.sh/hook-weight" (toString (index . 2))
  "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded"
  "helm.sh/hook-output-log-policy" "hook-failed")) -}}
{{- end -}}

{{/* Of `env`, what stands there by its value. */}}
{{- define "relay.plainEnvironment" -}}
{{- $plain := list -}}
{{- range .Values.env }}{{ if not .valueFrom }}{{ $plain = append $plain . }}{{ end }}{{ end -}}
{{- toJson $plain -}}
{{- end -}}

{{/* The pod's part. The release's ServiceAccount does not exist before the first install; none is needed. */}}
{{- define "relay.hookPod" -}}
{{- omit (include "relay.podBasics" . | fromYaml) "serviceAccountName" | toYaml }}
restartPolicy: Never
{{- include "relay.placement" (list . dict) }}
{{- end -}}

{{/* The volumes: the journal's secrets have to be there, the others may come later. */}}
{{- define "relay.hookVolumes" -}}
{{- include "relay.volumes" (dict
  "root" . "configMap" (printf "%s-migrate" (include "relay.fullname" .)) "only" (toJson .Values.config.journal)) -}}
{{- end -}}
