{{/* What runs before a roll-out, apart from the release: it has a configuration and a way out of its own, because the
release's are not there yet, or are still the old ones. */}}

{{/* Whether there is any. */}}
{{- define "relay.hooks" -}}
{{- if and (eq .Values.mode "distributed") (or .Values.migration.enabled .Values.migration.fromEmbedded.enabled) }}yes{{ end -}}
{{- end -}}

{{- define "relay.hookEvents" -}}pre-install,pre-upgrade{{- end -}}

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

{{/* Whether the journal's part of the configuration names it, in quotes as JSON has them: (list ROOT TEXT) */}}
{{- define "relay.journalNames" -}}
{{- if contains (printf "%s\"" (index . 1)) (toJson (index . 0).Values.config.journal) }}yes{{ end -}}
{{- end -}}

{{/* Whether the journal names a variable that `env` has not: then `envFrom` brings it, as a whole. */}}
{{- define "relay.journalNeedsMore" -}}
{{- $there := list -}}
{{- range .Values.env }}{{ $there = append $there (printf "\"env:%s\"" .name) }}{{ end -}}
{{- range regexFindAll "\"env:[^\"]+\"" (toJson .Values.config.journal) -1 -}}
{{- if not (has . $there) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{/* The container's part, without secrets that the journal does not need: one of them may be still on its way. */}}
{{- define "relay.hookContainer" -}}
{{- $env := list -}}
{{- $basics := include "relay.containerBasics" . | fromYaml -}}
{{- range $basics.env -}}
{{- if or (not (dig "valueFrom" "secretKeyRef" false .)) (include "relay.journalNames" (list $ (printf "\"env:%s" .name))) -}}
{{- $env = append $env . -}}
{{- end -}}
{{- end -}}
{{- $basics = set $basics "env" $env -}}
{{- if not (include "relay.journalNeedsMore" .) }}{{ $basics = omit $basics "envFrom" }}{{ end -}}
{{- toYaml $basics -}}
{{- end -}}

{{/* What the operator brings of the journal's secrets, by name. */}}
{{- define "relay.hookExternalData" -}}
{{- $data := dict -}}
{{- if .Values.externalSecrets.enabled -}}
{{- range $name, $remote := .Values.externalSecrets.data -}}
{{- if include "relay.journalNames" (list $ (printf "/run/secrets/relay/%s" $name)) }}{{ $_ := set $data $name $remote }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $data -}}
{{- end -}}

{{/* Where the operator puts them. Another for each revision: the one before is taken away after its ExternalSecret, and
could be taken for the new one until then. */}}
{{- define "relay.hookSecret" -}}
{{ include "relay.fullname" . }}-migrate-{{ .Release.Revision }}
{{- end -}}

{{/* The secrets that are mounted: those of the journal. */}}
{{- define "relay.hookSecrets" -}}
{{- $secrets := dict -}}
{{- $external := include "relay.hookExternalData" . | fromJson -}}
{{- range $name, $secret := include "relay.secrets" . | fromJson -}}
{{- if hasKey $external $name -}}
{{- $_ := set $secrets $name (dict "existingSecret" (include "relay.hookSecret" $) "key" $name) -}}
{{- else if include "relay.journalNames" (list $ (printf "/run/secrets/relay/%s" $name)) -}}
{{- $_ := set $secrets $name $secret -}}
{{- end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{- define "relay.hookVolumes" -}}
{{- include "relay.volumes" (list . (printf "%s-migrate" (include "relay.fullname" .)) (include "relay.hookSecrets" . | fromJson)) -}}
{{- end -}}

{{- define "relay.hookVolumeMounts" -}}
{{- include "relay.volumeMounts" (list . (include "relay.hookSecrets" . | fromJson)) -}}
{{- end -}}
