{{/* What cannot be right, told before anything is changed: the value, what is wrong, the mend. No message repeats a
secret. values.schema.json has looked at each value alone; these look at values together. */}}

{{- define "relay.checks" -}}
{{- include "relay.checkImage" . -}}
{{- include "relay.checkOwnName" . -}}
{{- include "relay.checkMode" . -}}
{{- include "relay.checkVolumeIsNotLeft" . -}}
{{- include "relay.checkServersAreNotLeft" . -}}
{{- include "relay.checkClaimIsNotChanged" . -}}
{{- include "relay.checkNames" . -}}
{{- include "relay.checkRoutesOfSources" . -}}
{{- include "relay.checkListeners" . -}}
{{- include "relay.checkPorts" . -}}
{{- include "relay.checkSecrets" . -}}
{{- include "relay.checkEnvironment" . -}}
{{- include "relay.checkReferences" (dict "root" . "value" .Values.config "at" "config") -}}
{{- include "relay.checkLeaving" . -}}
{{- include "relay.checkVolume" . -}}
{{- include "relay.checkScaling" . -}}
{{- include "relay.checkDisruption" . -}}
{{- include "relay.checkRoutes" . -}}
{{- include "relay.checkEgress" . -}}
{{- include "relay.checkAlerts" . -}}
{{- end -}}

{{- define "relay.checkImage" -}}
{{- if not .Values.image.repository -}}
{{- fail "image.repository is empty: name the repository in your registry to which you pushed the relay's image, without a tag." -}}
{{- end -}}
{{- if not .Values.config.destinations -}}
{{- fail "config.destinations is empty: there is nothing to deliver to, and the relay would not start. Add the pixel, app or event set that events go to." -}}
{{- end -}}
{{- end -}}

{{/* values.schema.json has looked at what was written; this is what came of it, or of the release's name. */}}
{{- define "relay.checkOwnName" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (include "relay.fullname" .)) -}}
{{- fail "fullnameOverride, or the release's name where that is empty, is no name for a Service: a letter has to be first, a letter or digit last, and small letters, digits and dashes between them, of which the first 40 are taken. Set fullnameOverride to such a name." -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkMode" -}}
{{- $journal := .Values.config.journal | default dict -}}
{{- if and (hasKey $journal "path") (ne $journal.path "/var/lib/relay") -}}
{{- fail "config.journal.path is the chart's, which mounts the volume at /var/lib/relay: leave it out." -}}
{{- end -}}
{{- if eq .Values.mode "embedded" -}}
{{- if $journal.kafka -}}
{{- fail "config.journal.kafka is set, and mode is embedded: write mode: distributed, or leave config.journal.kafka and config.journal.postgres out." -}}
{{- end -}}
{{- if gt (int .Values.embedded.replicas) 1 -}}
{{- fail "embedded.replicas is more than 1: a journal on a volume has one writer, and a second relay would not know what the first has delivered. For more processes write mode: distributed, with Kafka and PostgreSQL." -}}
{{- end -}}
{{- if and (eq (int .Values.embedded.replicas) 0) (eq .Values.embedded.persistence.retention.whenScaled "Delete") -}}
{{- fail "embedded.replicas is 0, and embedded.persistence.retention.whenScaled is Delete: Kubernetes would delete the volume, and with it all that waits. Set embedded.persistence.retention.whenScaled to Retain." -}}
{{- end -}}
{{- if or .Values.ingest.autoscaling.enabled .Values.deliver.autoscaling.enabled -}}
{{- fail "ingest.autoscaling or deliver.autoscaling is on, and mode is embedded: one process with its journal on a volume cannot be scaled. Write mode: distributed, or switch them off." -}}
{{- end -}}
{{- if .Values.migration.fromEmbedded.enabled -}}
{{- fail "migration.fromEmbedded.enabled is on, and mode is embedded: it moves the journal in the upgrade that writes mode: distributed." -}}
{{- end -}}
{{- else -}}
{{- if not (and $journal.kafka $journal.postgres) -}}
{{- fail "mode is distributed, and config.journal.kafka or config.journal.postgres is missing: name your brokers and, as file:/run/secrets/relay/NAME, the address of your database; or write mode: embedded." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkNames" -}}
{{- range $table := list "destinations" "sources" -}}
{{- $seen := dict -}}
{{- range $index, $each := get $.Values.config $table -}}
{{- if hasKey $seen $each.name -}}
{{- fail (printf "config.%s[%d].name is that of config.%s[%d], too: give each a name of its own." $table $index $table (get $seen $each.name)) -}}
{{- end -}}
{{- $_ := set $seen $each.name $index -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where the events of each source go. The names are not repeated: what stands there may be anything. */}}
{{- define "relay.checkRoutesOfSources" -}}
{{- $known := list -}}
{{- range .Values.config.destinations }}{{ $known = append $known .name }}{{ end -}}
{{- range $index, $source := .Values.config.sources -}}
{{- $routes := $source.destinations | default list -}}
{{- if and $source.destination $routes -}}
{{- fail (printf "config.sources[%d] has destination and destinations: keep one of the two." $index) -}}
{{- end -}}
{{- if not (or $source.destination $routes) -}}
{{- fail (printf "config.sources[%d] has no destination: name the one that its events go to, of %s." $index ($known | join ", ")) -}}
{{- end -}}
{{- if and $source.destination (not (has $source.destination $known)) -}}
{{- fail (printf "config.sources[%d].destination is none of config.destinations: correct it, or add the destination. There are: %s." $index ($known | join ", ")) -}}
{{- end -}}
{{- range $at, $route := $routes -}}
{{- if not (has $route $known) -}}
{{- fail (printf "config.sources[%d].destinations[%d] is none of config.destinations: correct it, or add the destination. There are: %s." $index $at ($known | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- if lt (len (uniq $routes)) (len $routes) -}}
{{- fail (printf "config.sources[%d].destinations names one twice: name each once." $index) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkListeners" -}}
{{- $listen := .Values.config.listen | default dict -}}
{{- range $key, $address := dict "public" ($listen.public | default "0.0.0.0:8080") "operator" ($listen.operator | default "127.0.0.1:8081") -}}
{{- if regexMatch "^(127\\.|localhost:|\\[::1\\])" $address -}}
{{- fail (printf "config.listen.%s is on loopback: in a pod nobody else reaches that, not even a probe. Write \"0.0.0.0:PORT\"." $key) -}}
{{- end -}}
{{- if eq (include "relay.port" $address | int) 0 -}}
{{- fail (printf "config.listen.%s has port 0: the chart has to know which it is. Write one." $key) -}}
{{- end -}}
{{- if gt (include "relay.port" $address | int) 65535 -}}
{{- fail (printf "config.listen.%s has a port above 65535: write one of 1 to 65535." $key) -}}
{{- end -}}
{{- end -}}
{{- if eq (include "relay.publicPort" .) (include "relay.operatorPort" .) -}}
{{- fail "config.listen.public and config.listen.operator have the same port: give each its own." -}}
{{- end -}}
{{- if not $listen.operator_token -}}
{{- fail "config.listen.operator_token is missing: the operator's listener can be reached from the cluster. Write \"file:/run/secrets/relay/operator-token\" and put operator-token among the secrets." -}}
{{- end -}}
{{- end -}}

{{/* Those that a NetworkPolicy lets out to. */}}
{{- define "relay.checkPorts" -}}
{{- $ports := dict -}}
{{- with (.Values.config.journal).kafka }}{{ $_ := set $ports "config.journal.kafka" (include "relay.brokerPorts" (list .) | fromJsonArray) }}{{ end -}}
{{- range $index, $source := .Values.config.sources -}}
{{- with $source.brokers }}{{ $_ := set $ports (printf "config.sources[%d].brokers" $index) (include "relay.brokerPorts" (list .) | fromJsonArray) }}{{ end -}}
{{- end -}}
{{- with (.Values.config.tiktok).base_url }}{{ $_ := set $ports "config.tiktok.base_url" (list (include "relay.urlPort" . | int)) }}{{ end -}}
{{- with (.Values.config.traces).endpoint }}{{ $_ := set $ports "config.traces.endpoint" (list (include "relay.urlPort" . | int)) }}{{ end -}}
{{- range $key, $each := $ports -}}
{{- range $each -}}
{{- if or (lt (int .) 1) (gt (int .) 65535) -}}
{{- fail (printf "%s has a port that is none: write one of 1 to 65535." $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkSecrets" -}}
{{- $external := .Values.externalSecrets -}}
{{- if and $external.data (not $external.enabled) -}}
{{- fail "externalSecrets.data is given, and externalSecrets.enabled is false: switch it on, or remove them." -}}
{{- end -}}
{{- if $external.enabled -}}
{{- if not $external.store.name -}}
{{- fail "externalSecrets.store.name is empty: name the SecretStore or ClusterSecretStore that they come from." -}}
{{- end -}}
{{- if not $external.data -}}
{{- fail "externalSecrets.data is empty: say which entries of the store become which secrets, or set externalSecrets.enabled to false." -}}
{{- end -}}
{{- range $name, $_ := $external.data -}}
{{- if hasKey $.Values.secrets $name -}}
{{- fail (printf "%s is among secrets and among externalSecrets.data: keep one of the two." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := include "relay.secrets" . | fromJson -}}
{{- if or (gt (len $name) 63) (not (regexMatch "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$" $name)) -}}
{{- fail (printf "%s, among the secrets, is no name for a file: take small letters, digits, dashes, dots and underscores, at most 63 of them, with a letter or digit first and last." $name) -}}
{{- end -}}
{{- end -}}
{{- $token := include "relay.operatorToken" . -}}
{{- if and .Values.serviceMonitor.enabled (not (hasKey (include "relay.secrets" . | fromJson) $token)) -}}
{{- fail "serviceMonitor.enabled needs config.listen.operator_token as file:/run/secrets/relay/NAME, with NAME among the secrets: Prometheus shows that token." -}}
{{- end -}}
{{- end -}}

{{/* Whether a variable of this name holds a secret, rather than where one is, or how long it is good for. */}}
{{- define "relay.namesSecret" -}}
{{- $secret := "(PASSWORD|PASSWD|PASSPHRASE|PGPASS|SECRET|TOKEN|CREDENTIAL|(API|ACCESS|PRIVATE|SIGNING|ENCRYPTION|MASTER|AUTH)_?KEY)S?_?[0-9]*(_|$)|(^|_)(PASS|PWD)_?[0-9]*$" -}}
{{- $about := "_(FILE|PATH|DIR|URL|URI|ENDPOINT|HOST|PORT|NAME|ID|ARN|TYPE|TTL|AGE|EXPIRY|LIFETIME|LENGTH|ALGORITHM|ENABLED|REQUIRED)$" -}}
{{- if and (regexMatch $secret (upper .)) (not (regexMatch $about (upper .))) }}yes{{ end -}}
{{- end -}}

{{/* Whether this address has a password in it, also one that is not percent-encoded and moves the address's parts: all
before the last `@` is taken for who comes. Better to refuse a path with `@` behind a port than to show a password. */}}
{{- define "relay.hasPassword" -}}
{{- if regexMatch "(?is)^\\s*([a-z][a-z0-9+.-]*:)+//(.*:.*@|.*[?&]password=)" . }}yes{{ end -}}
{{- end -}}

{{/* Whether this is a secret of a kind that says so: of Shopify, Stripe, GitHub, GitLab, Slack and Google, a signed JSON
Web Token, a private key. Of Amazon's only the id says so, and is none. */}}
{{- define "relay.beginsAsSecret" -}}
{{- $kinds := list "shp(ss|at|ca|pa|ua)_" "whsec_" "[sr]k_(live|test)_" "gh[pousr]_" "github_pat_" "glpat-" "xox[a-z]-" "xapp-" "AIza[0-9A-Za-z_-]{30}" "eyJ[0-9A-Za-z_-]+\\." "-----BEGIN [A-Z ]*PRIVATE KEY" -}}
{{- if regexMatch (printf "^\\s*((?i:Bearer|Basic|token)\\s+)?(%s)" (join "|" $kinds)) . }}yes{{ end -}}
{{- end -}}

{{- define "relay.checkEnvironment" -}}
{{- range .Values.env -}}
{{- if or (regexMatch "^RELAY_[A-Z]+__" .name) (eq .name "RELAY_CONFIG") -}}
{{- fail (printf "env has %s, which would change the configuration behind the chart's back: ports and times would not fit. Write it into config." .name) -}}
{{- end -}}
{{- if and .value (include "relay.namesSecret" .name) (not (regexMatch "^\\$\\([^()]+\\)$" .value)) -}}
{{- fail (printf "env has %s by its value, which everybody sees who may look at the pod (it is not shown here). Put it into a Secret and write valueFrom.secretKeyRef; renew it if others can read these values." .name) -}}
{{- end -}}
{{- if include "relay.beginsAsSecret" (.value | default "") -}}
{{- fail (printf "env has %s with a value that begins as a key or a token does, and that everybody sees who may look at the pod (it is not shown here). Put it into a Secret and write valueFrom.secretKeyRef; renew it if others can read these values." .name) -}}
{{- end -}}
{{- if include "relay.hasPassword" (.value | default "") -}}
{{- fail (printf "env has %s with a password in its address (it is not shown here). Put the whole address into a Secret and write valueFrom.secretKeyRef." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Every text of the configuration: (dict "root" ROOT "value" VALUE "at" KEY) */}}
{{- define "relay.checkReferences" -}}
{{- $root := .root -}}
{{- $at := .at -}}
{{- if kindIs "map" .value -}}
{{- range $key, $value := .value -}}
{{- include "relay.checkReferences" (dict "root" $root "value" $value "at" (printf "%s.%s" $at $key)) -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- range $index, $value := .value -}}
{{- include "relay.checkReferences" (dict "root" $root "value" $value "at" (printf "%s[%d]" $at $index)) -}}
{{- end -}}
{{- else if kindIs "string" .value -}}
{{- if regexMatch "^(file:)?/run/secrets/relay/" .value -}}
{{- include "relay.checkMounted" . -}}
{{- else if regexMatch "^(file:|/)" .value -}}
{{- include "relay.checkOtherFile" . -}}
{{- else if regexMatch "^env:" .value -}}
{{- include "relay.checkVariable" . -}}
{{- else if include "relay.hasPassword" .value -}}
{{- fail (printf "%s holds a password, which a ConfigMap would show to everybody (it is not shown here). Put the whole address into a Secret and write file:/run/secrets/relay/NAME." $at) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkMounted" -}}
{{- $name := regexReplaceAll "^(file:)?/run/secrets/relay/" .value "" -}}
{{- $secrets := include "relay.secrets" .root | fromJson -}}
{{- if not (hasKey $secrets $name) -}}
{{- fail (printf "%s names the file /run/secrets/relay/%s, and there is no secret of this name. Add it: --set secrets.%s.existingSecret=SECRET --set secrets.%s.key=KEY; there are: %s." .at $name $name $name (keys $secrets | sortAlpha | join ", " | default "none")) -}}
{{- end -}}
{{- end -}}

{{/* Certificates may be the image's own; a secret is not. */}}
{{- define "relay.checkOtherFile" -}}
{{- $path := trimPrefix "file:" .value -}}
{{- $mounted := hasPrefix "/etc/ssl/" $path | or (eq .at "config.journal.path") (not (regexMatch "(file:|_file$)" (printf "%s %s" (regexFind "^file:" .value) .at))) -}}
{{- range .root.Values.volumeMounts -}}
{{- if or (eq .mountPath $path) (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $path) -}}{{- $mounted = true -}}{{- end -}}
{{- end -}}
{{- if not $mounted -}}
{{- fail (printf "%s names the file %s, and nothing is mounted there. Put it among the secrets and write file:/run/secrets/relay/NAME, or mount it with volumes and volumeMounts." .at $path) -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkVariable" -}}
{{- $name := trimPrefix "env:" .value -}}
{{- $found := gt (len .root.Values.envFrom) 0 -}}
{{- $at := .at -}}
{{- range .root.Values.env -}}
{{- if eq .name $name -}}
{{- $found = true -}}
{{- if not (hasKey (.valueFrom | default dict) "secretKeyRef") -}}
{{- fail (printf "env %s is the secret of %s, and stands there in clear. Put it into a Secret, and write file:/run/secrets/relay/NAME or valueFrom.secretKeyRef; renew it if others can read these values." $name $at) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $found -}}
{{- fail (printf "%s names the variable %s, and env has none of this name. Put it among the secrets and write file:/run/secrets/relay/NAME, which needs no restart when it changes; or add it to env." $at $name) -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkLeaving" -}}
{{- $least := include "relay.graceSeconds" . | int -}}
{{- with .Values.terminationGracePeriodSeconds -}}
{{- if lt (int .) $least -}}
{{- fail (printf "terminationGracePeriodSeconds is less than leaving takes (%d: preStopSleepSeconds, config.shutdown.lame_duck, config.shutdown.drain_deadline and 10): the pod would be killed while it drains. Write null, or at least that." $least) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkVolume" -}}
{{- if eq .Values.mode "embedded" -}}
{{- $waiting := (.Values.config.journal).max_bytes | default "10GiB" -}}
{{- if lt (include "relay.bytes" .Values.embedded.persistence.size | int64) (include "relay.bytes" $waiting | int64 | mul 2) -}}
{{- fail (printf "embedded.persistence.size is less than twice config.journal.max_bytes (%v): claims and what relay find shows are kept there, too, and the volume would be full before the relay says so. Make it at least twice as large as config.journal.max_bytes, or that smaller." $waiting) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkScaling" -}}
{{- if eq .Values.mode "distributed" -}}
{{- range $role := list "ingest" "deliver" -}}
{{- $scaling := (get $.Values $role).autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "%s.autoscaling.minReplicas is more than %s.autoscaling.maxReplicas." $role $role) -}}
{{- end -}}
{{- end -}}
{{- $scaling := .Values.deliver.autoscaling -}}
{{- $useful := mul ((.Values.config.journal).partitions | default 12 | int) (len .Values.config.destinations) | int -}}
{{- if and $scaling.enabled (gt (int $scaling.maxReplicas) $useful) -}}
{{- fail (printf "deliver.autoscaling.maxReplicas is more than %d, which is config.journal.partitions times the destinations: further processes would have no partition, and deliver nothing." $useful) -}}
{{- end -}}
{{- if $scaling.keda.enabled -}}
{{- if not $scaling.enabled -}}
{{- fail "deliver.autoscaling.keda.enabled is on, and deliver.autoscaling.enabled is off: switch both on, or both off." -}}
{{- end -}}
{{- if not $scaling.keda.serverAddress -}}
{{- fail "deliver.autoscaling.keda.serverAddress is empty: say where Prometheus is, such as http://prometheus.monitoring:9090." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* How many pods a role has at the least: (list ROOT ROLE) */}}
{{- define "relay.floor" -}}
{{- $block := get (index . 0).Values (index . 1) -}}
{{- ternary (($block.autoscaling).minReplicas) $block.replicas (($block.autoscaling).enabled | default false) -}}
{{- end -}}

{{- define "relay.checkDisruption" -}}
{{- range $role := include "relay.roles" . | fromJsonArray -}}
{{- $budget := (get $.Values $role).podDisruptionBudget -}}
{{- $has_least := not (kindIs "invalid" $budget.minAvailable) -}}
{{- $has_most := not (kindIs "invalid" $budget.maxUnavailable) -}}
{{- if $budget.enabled -}}
{{- if eq $has_least $has_most -}}
{{- fail (printf "%s.podDisruptionBudget takes either minAvailable or maxUnavailable: set one of them, and the other to null." $role) -}}
{{- end -}}
{{- $floor := include "relay.floor" (list $ $role) | int -}}
{{- if and (ne $role "embedded") $has_least (not (kindIs "string" $budget.minAvailable)) (ge (int $budget.minAvailable) $floor) -}}
{{- fail (printf "%s.podDisruptionBudget.minAvailable is not less than the pods there are at the least (%d): no node could ever be drained." $role $floor) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkRoutes" -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts is empty: name the host that senders use." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs is empty: name the Gateway that the route belongs to." -}}
{{- end -}}
{{- end -}}

{{/* To Kubernetes a rule without `to` is everywhere, and one without `ports` is every port. */}}
{{- define "relay.checkEgress" -}}
{{- range $key, $lists := dict "dns" (list "to" "ports") "tiktok" (list "to") "kafka" (list "to") "postgres" (list "to" "ports") "traces" (list "to") -}}
{{- range $lists -}}
{{- if not (get (get $.Values.networkPolicy $key | default dict) .) -}}
{{- fail (printf "networkPolicy.%s.%s is empty, which would let the relay out without a bound: name what it needs, or leave the default as it is." $key .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $index, $rule := .Values.networkPolicy.extraEgress -}}
{{- if not (and $rule.to $rule.ports) -}}
{{- fail (printf "networkPolicy.extraEgress[%d] lacks to or ports, and would let everything out: name both." $index) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "relay.checkAlerts" -}}
{{- $known := list -}}
{{- range $path, $_ := .Files.Glob "rules/*.yaml" -}}
{{- range ($.Files.Get $path | fromYaml).groups -}}{{- range .rules -}}{{- with .alert -}}{{- $known = append $known . -}}{{- end -}}{{- end -}}{{- end -}}
{{- end -}}
{{- range .Values.prometheusRule.disabled -}}
{{- if not (has . $known) -}}
{{- fail (printf "prometheusRule.disabled names %s, and there is no such alert. There are: %s." . ($known | sortAlpha | join ", " | default "none")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
