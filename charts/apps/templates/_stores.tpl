{{/*
How many members each store of the release `data` has.
Usage: include "apps.members" $
*/}}
{{- define "apps.members" -}}
{{- if eq .Values.size "small" }}1{{ else }}3{{ end -}}
{{- end -}}

{{/*
Hosts of the MySQL group, separated by commas; with the namespace, as the members call themselves.
Usage: include "apps.mysqlHosts" $
*/}}
{{- define "apps.mysqlHosts" -}}
{{- $hosts := list -}}
{{- range until (include "apps.members" . | int) -}}
{{- $hosts = append $hosts (printf "%s-mysql-%d.%s-mysql.%s.svc" $.Values.dataRelease . $.Values.dataRelease $.Release.Namespace) -}}
{{- end -}}
{{- join "," (default $hosts .Values.mysql.hosts) -}}
{{- end -}}

{{/*
Sentinels, separated by commas; nothing for a Redis without them.
Usage: include "apps.sentinels" $
*/}}
{{- define "apps.sentinels" -}}
{{- $sentinels := list -}}
{{- range until (include "apps.members" . | int) -}}
{{- $sentinels = append $sentinels (printf "%s-redis-%d.%s.svc:26379" $.Values.dataRelease . $.Release.Namespace) -}}
{{- end -}}
{{- if not .Values.redis.address -}}
{{- join "," (default $sentinels .Values.redis.sentinels) -}}
{{- end -}}
{{- end -}}

{{/*
Kafka's bootstrap servers, separated by commas.
Usage: include "apps.kafkaServers" $
*/}}
{{- define "apps.kafkaServers" -}}
{{- $servers := list -}}
{{- range until (include "apps.members" . | int) -}}
{{- $servers = append $servers (printf "%s-kafka-%d.%s-kafka.%s.svc:9092" $.Values.dataRelease . $.Values.dataRelease $.Release.Namespace) -}}
{{- end -}}
{{- join "," (default $servers .Values.kafka.servers) -}}
{{- end -}}

{{/*
The environment of a process, for the stores that it is a client of.
Usage: include "apps.environment" (dict "root" $ "clients" (list "mysql" "kafka") "poolSize" 2)
*/}}
{{- define "apps.environment" -}}
{{- $values := .root.Values -}}
- name: DOORBUSTER_LOG_LEVEL
  value: {{ $values.logLevel | quote }}
{{- if has "mysql" .clients }}
- name: DOORBUSTER_MYSQL__HOSTS
  value: {{ include "apps.mysqlHosts" .root | quote }}
- name: DOORBUSTER_MYSQL__PORT
  value: {{ $values.mysql.port | quote }}
- name: DOORBUSTER_MYSQL__USER
  value: {{ $values.mysql.user | quote }}
- name: DOORBUSTER_MYSQL__DATABASE
  value: {{ $values.mysql.database | quote }}
- name: DOORBUSTER_MYSQL__PASSWORD_FILE
  value: /secrets/mysql/password
- name: DOORBUSTER_MYSQL__POOL_SIZE
  value: {{ .poolSize | default 2 | quote }}
{{- end }}
{{- if has "redis" .clients }}
{{- with $values.redis.address }}
- name: DOORBUSTER_REDIS__ADDRESS
  value: {{ . | quote }}
{{- else }}
- name: DOORBUSTER_REDIS__SENTINELS
  value: {{ include "apps.sentinels" .root | quote }}
- name: DOORBUSTER_REDIS__PRIMARY_NAME
  value: {{ $values.redis.primaryName | quote }}
{{- end }}
- name: DOORBUSTER_REDIS__PASSWORD_FILE
  value: /secrets/redis/password
{{- end }}
{{- if has "kafka" .clients }}
- name: DOORBUSTER_KAFKA__SERVERS
  value: {{ include "apps.kafkaServers" .root | quote }}
{{- end }}
{{- end -}}

{{/*
Mounts of the passwords of those stores.
Usage: include "apps.passwordMounts" (dict "clients" (list "mysql"))
*/}}
{{- define "apps.passwordMounts" -}}
{{- range $store := list "mysql" "redis" }}
{{- if has $store $.clients }}
- name: {{ $store }}
  mountPath: /secrets/{{ $store }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{/*
Volumes of the passwords of those stores: one key each, whatever else is in the Secret.
Usage: include "apps.passwordVolumes" (dict "root" $ "clients" (list "mysql"))
*/}}
{{- define "apps.passwordVolumes" -}}
{{- range $store := list "mysql" "redis" }}
{{- if has $store $.clients }}
{{- $values := index $.root.Values $store }}
- name: {{ $store }}
  secret:
    secretName: {{ required (printf "%s.existingSecret is empty: name a Secret of this namespace with the key '%s' (docs/operations.md has the command)" $store $values.passwordKey) $values.existingSecret }}
    items:
      - key: {{ $values.passwordKey }}
        path: password
{{- end }}
{{- end }}
{{- end -}}

{{/*
What the catalogue must have, for those who look.
Usage: include "apps.catalogueEnvironment" $
*/}}
{{- define "apps.catalogueEnvironment" -}}
- name: DOORBUSTER_CATALOGUE__MINIMUM_PRODUCTS
  value: {{ (default dict .Values.catalogue).minimumProducts | default 1 | int | quote }}
{{- end -}}
