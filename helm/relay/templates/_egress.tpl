{{/* What goes out: each a rule with peers and ports. */}}

{{/* What `networkPolicy.kafka.to` and `networkPolicy.postgres.to` are if nobody says anything. */}}
{{- define "relay.anywhereInside" -}}
[{"namespaceSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "100.64.0.0/10"}},
 {"ipBlock": {"cidr": "172.16.0.0/12"}}, {"ipBlock": {"cidr": "192.168.0.0/16"}}]
{{- end -}}

{{/* (list PEERS PORTS) */}}
{{- define "relay.egressRule" -}}
- to:
    {{- toYaml (index . 0) | nindent 4 }}
  ports:
  {{- range index . 1 }}
  - {protocol: TCP, port: {{ . }}}
  {{- end }}
{{- end -}}

{{- define "relay.egressDns" -}}
{{- $dns := .Values.networkPolicy.dns -}}
- to:
    {{- toYaml $dns.to | nindent 4 }}
  ports:
  {{- range $dns.ports }}
  - {protocol: UDP, port: {{ . }}}
  - {protocol: TCP, port: {{ . }}}
  {{- end }}
{{- end -}}

{{- define "relay.egressTikTok" -}}
{{- $url := (.Values.config.tiktok).base_url | default "https://business-api.tiktok.com/open_api/v1.3" -}}
{{- include "relay.egressRule" (list .Values.networkPolicy.tiktok.to (list (include "relay.urlPort" $url))) -}}
{{- end -}}

{{/* (list ROOT ROLE) */}}
{{- define "relay.egressKafka" -}}
{{- $kafka := (index . 0).Values.networkPolicy.kafka -}}
{{- with include "relay.brokers" . | fromJsonArray }}
{{- include "relay.egressRule" (list $kafka.to ($kafka.ports | default (include "relay.brokerPorts" . | fromJsonArray))) }}
{{- end }}
{{- end -}}

{{- define "relay.egressPostgres" -}}
{{- if (.Values.config.journal).postgres }}
{{- include "relay.egressRule" (list .Values.networkPolicy.postgres.to .Values.networkPolicy.postgres.ports) }}
{{- end }}
{{- end -}}

{{- define "relay.egressTraces" -}}
{{- with (.Values.config.traces).endpoint }}
{{- include "relay.egressRule" (list $.Values.networkPolicy.traces.to (list (include "relay.urlPort" .))) }}
{{- end }}
{{- end -}}
