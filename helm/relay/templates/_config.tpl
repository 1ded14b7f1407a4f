{{/* The relay's configuration, and what follows from it. */}}

{{/* The whole of it, with what the chart owns. */}}
{{- define "relay.configuration" -}}
{{- $config := deepCopy .Values.config -}}
{{- $journal := merge (dict "path" "/var/lib/relay") ($config.journal | default dict) -}}
{{- toPrettyJson (set $config "journal" $journal) -}}
{{- end -}}

{{/* The same relay as it was in embedded mode, to read its journal. */}}
{{- define "relay.embeddedConfiguration" -}}
{{- $config := include "relay.configuration" . | fromJson -}}
{{- toPrettyJson (set $config "journal" (pick $config.journal "path" "retention")) -}}
{{- end -}}

{{/* "1.5h" as a number of seconds. */}}
{{- define "relay.seconds" -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mulf (trimSuffix $unit . | float64) (get (dict "ms" 0.001 "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) -}}
{{- end -}}

{{/* "10GiB", "20Gi" or a number, as a number of bytes. */}}
{{- define "relay.bytes" -}}
{{- $text := toString . -}}
{{- $unit := regexFind "[A-Za-z]+$" $text -}}
{{- $sizes := dict "" 1 "B" 1 "kB" 1e3 "MB" 1e6 "GB" 1e9 "TB" 1e12 "M" 1e6 "G" 1e9 "T" 1e12
  "k" 1e3 "P" 1e15 "Ki" 1024 "Pi" 1125899906842624
  "KiB" 1024 "MiB" 1048576 "GiB" 1073741824 "TiB" 1099511627776 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mulf (trimSuffix $unit $text | float64) (get $sizes $unit) | int64 -}}
{{- end -}}

{{/* The port of "0.0.0.0:8080". */}}
{{- define "relay.port" -}}
{{- regexFind "[0-9]+$" . | int -}}
{{- end -}}

{{- define "relay.publicPort" -}}
{{- include "relay.port" ((.Values.config.listen).public | default "0.0.0.0:8080") -}}
{{- end -}}

{{- define "relay.operatorPort" -}}
{{- include "relay.port" ((.Values.config.listen).operator | default "127.0.0.1:8081") -}}
{{- end -}}

{{/* The port of a web address, as it is written or as its scheme has it. Not by `urlParse`, which repeats what it cannot
read, and may be asked before anything is checked. */}}
{{- define "relay.urlPort" -}}
{{- $place := regexReplaceAll "(?s)[/?#].*$" (regexReplaceAll "^[^:]*://" . "") "" -}}
{{- trimPrefix ":" (regexFind ":[0-9]+$" $place) | default (ternary "443" "80" (hasPrefix "https:" .)) | int -}}
{{- end -}}

{{/* What leaving takes: balancers forget the pod, the lame duck, the drain, and some to spare. */}}
{{- define "relay.graceSeconds" -}}
{{- $shutdown := .Values.config.shutdown | default dict -}}
{{- $lame := include "relay.seconds" ($shutdown.lame_duck | default "0s") | float64 -}}
{{- $drain := include "relay.seconds" ($shutdown.drain_deadline | default "20s") | float64 -}}
{{- addf .Values.preStopSleepSeconds $lame $drain 10 | ceil | int -}}
{{- end -}}

{{/* The ports of "a:9092,b:9093", as a list: (list BROKERS…) */}}
{{- define "relay.brokerPorts" -}}
{{- $ports := list -}}
{{- range . }}{{ range splitList "," . }}{{ $ports = append $ports (include "relay.port" . | int) }}{{ end }}{{ end -}}
{{- toJson (uniq $ports) -}}
{{- end -}}

{{/* The brokers that this role speaks to: (list ROOT ROLE). Sources are read by who accepts. */}}
{{- define "relay.brokers" -}}
{{- $config := (index . 0).Values.config -}}
{{- $brokers := list -}}
{{- with ($config.journal).kafka }}{{ $brokers = append $brokers . }}{{ end -}}
{{- if has (index . 1) (list "embedded" "ingest") }}
{{- range $config.sources }}{{ with .brokers }}{{ $brokers = append $brokers . }}{{ end }}{{ end -}}
{{- end -}}
{{- toJson $brokers -}}
{{- end -}}

{{/* The secret that the operator's listener asks for: its name among those that are mounted. */}}
{{- define "relay.operatorToken" -}}
{{- (.Values.config.listen).operator_token | default "" | trimPrefix "file:/run/secrets/relay/" -}}
{{- end -}}

{{/* Every secret that is mounted, by its name: {existingSecret, key}. */}}
{{- define "relay.secrets" -}}
{{- $secrets := deepCopy .Values.secrets -}}
{{- if .Values.externalSecrets.enabled }}
{{- $made := printf "%s-external" (include "relay.fullname" .) -}}
{{- range $name, $_ := .Values.externalSecrets.data }}
{{- $_ := set $secrets $name (dict "existingSecret" $made "key" $name) -}}
{{- end }}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}
