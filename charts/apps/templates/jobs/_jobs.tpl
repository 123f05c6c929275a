{{/*
The jobs that run all the time, as YAML: module, arguments and stores of each. Relay and watch may run twice, because a lock in
MySQL lets one of them work (R9).
Usage: include "apps.jobs" $ | fromYaml
*/}}
{{- define "apps.jobs" -}}
audit: { module: doorbuster.jobs.audit, arguments: [--serve], clients: [mysql], recreate: true }
relay: { module: doorbuster.jobs.relay, clients: [mysql, redis, kafka], recreate: false }
watch: { module: doorbuster.jobs.watch, clients: [mysql, redis, kafka], recreate: false }
lag-exporter: { module: doorbuster.jobs.lag_exporter, clients: [kafka], recreate: true }
{{- end -}}

{{/*
What one job's environment has more than the others'.
Usage: include "apps.jobEnvironment" (dict "root" $ "name" "relay")
*/}}
{{- define "apps.jobEnvironment" -}}
{{- if eq .name "watch" -}}
{{- include "apps.catalogueEnvironment" .root -}}
{{- else if and (eq .name "relay") (default dict .root.Values.faults).poison -}}
- name: DOORBUSTER_FAULTS__POISON
  value: "true"
{{- end -}}
{{- end -}}
