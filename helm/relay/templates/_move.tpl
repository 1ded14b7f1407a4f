{{/* What is in the cluster already: the volume of embedded mode, and what became of it when a release goes to distributed mode. */}}

{{/* The claim that embedded mode makes: that of its claim template, StatefulSet and pod. */}}
{{- define "relay.ownClaim" -}}
journal-{{ include "relay.fullname" . }}-0
{{- end -}}

{{/* The claim whose journal is moved. */}}
{{- define "relay.oldClaim" -}}
{{- .Values.migration.fromEmbedded.claim | default (include "relay.ownClaim" .) -}}
{{- end -}}

{{/* Helm asks the cluster only when it is about to change it; `helm template` finds nothing, and refuses nothing. It is the
StatefulSet that is asked for: it goes in the upgrade that moves, where the volume stays until somebody deletes it. */}}
{{- define "relay.checkVolumeIsNotLeft" -}}
{{- if eq .Values.mode "distributed" -}}
{{- $name := include "relay.fullname" . -}}
{{- $old := lookup "apps/v1" "StatefulSet" .Release.Namespace $name | default dict -}}
{{- if eq (dig "metadata" "labels" "app.kubernetes.io/instance" "" $old) .Release.Name -}}
{{- $move := .Values.migration.fromEmbedded -}}
{{- $is_moved := and $move.enabled (eq (include "relay.oldClaim" .) (include "relay.ownClaim" .)) -}}
{{- if not (or $is_moved $move.leaveBehind) -}}
{{- fail (printf "mode is distributed, and what waits in the journal of StatefulSet %s would stay on its volume, unsent: stop it with embedded.replicas: 0 while mode is still embedded, then set migration.fromEmbedded.enabled to true, which moves it; or set migration.fromEmbedded.leaveBehind to true." $name) -}}
{{- end -}}
{{- if and (not $is_moved) (eq (dig "spec" "persistentVolumeClaimRetentionPolicy" "whenDeleted" "Retain" $old) "Delete") -}}
{{- fail (printf "migration.fromEmbedded.leaveBehind is on, and StatefulSet %s takes its volume away with it, and all that waits there: set embedded.persistence.retention.whenDeleted to Retain while mode is still embedded, or move the journal with migration.fromEmbedded.enabled; if it may be lost, delete the StatefulSet yourself." $name) -}}
{{- end -}}
{{- $pods := max (dig "spec" "replicas" 1 $old) (dig "status" "replicas" 0 $old) | int -}}
{{- if and $is_moved (gt $pods 0) -}}
{{- fail (printf "migration.fromEmbedded.enabled is on, and StatefulSet %s still has a pod, whose journal cannot be moved while it runs: set embedded.replicas to 0 while mode is still embedded, and wait until the pod is gone." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The way back is made by hand, with every process stopped; so those that run are a change of `mode` alone. */}}
{{- define "relay.checkServersAreNotLeft" -}}
{{- if eq .Values.mode "embedded" -}}
{{- range $role := list "ingest" "deliver" -}}
{{- $name := include "relay.roleName" (list $ $role) -}}
{{- $old := lookup "apps/v1" "Deployment" $.Release.Namespace $name | default dict -}}
{{- if eq (dig "metadata" "labels" "app.kubernetes.io/instance" "" $old) $.Release.Name -}}
{{- if gt (max (dig "spec" "replicas" 1 $old) (dig "status" "replicas" 0 $old) | int) 0 -}}
{{- fail (printf "mode is embedded, and Deployment %s still has pods: what waits in Kafka would stay there, unsent. Set ingest.replicas and deliver.replicas to 0 while mode is still distributed, and move the journal as the chart's README says; or leave mode as it was." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a StatefulSet says of its claims cannot be changed. Kubernetes would say so, but not what to do; and behind the
hooks. It writes sizes in its own way, 1024Gi as 1Ti; and an empty list or table not at all. */}}
{{- define "relay.checkClaimIsNotChanged" -}}
{{- if eq .Values.mode "embedded" -}}
{{- $name := include "relay.fullname" . -}}
{{- $wanted := .Values.embedded.persistence -}}
{{- $old := lookup "apps/v1" "StatefulSet" .Release.Namespace $name | default dict -}}
{{- if eq (dig "metadata" "labels" "app.kubernetes.io/instance" "" $old) .Release.Name -}}
{{- range dig "spec" "volumeClaimTemplates" list $old -}}
{{- $changed := list -}}
{{- $size := dig "spec" "resources" "requests" "storage" "" . -}}
{{- if ne (include "relay.bytes" $size) (include "relay.bytes" $wanted.size) }}{{ $changed = append $changed "size" }}{{ end -}}
{{- if ne (dig "spec" "storageClassName" "" .) $wanted.storageClassName }}{{ $changed = append $changed "storageClassName" }}{{ end -}}
{{- if ne (toJson (dig "spec" "accessModes" list .)) (toJson $wanted.accessModes) }}{{ $changed = append $changed "accessModes" }}{{ end -}}
{{- if ne (toJson (dig "metadata" "annotations" dict .)) (toJson $wanted.annotations) }}{{ $changed = append $changed "annotations" }}{{ end -}}
{{- if $changed -}}
{{- fail (printf "embedded.persistence.%s is not what StatefulSet %s was made with (size %s), and Kubernetes does not let it change its claims: write what it was, or take it away from above its pod first, as the chart's README says under \"A larger volume\"." ($changed | join " and embedded.persistence.") $name $size) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
