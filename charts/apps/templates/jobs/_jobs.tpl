{{/*
The jobs that run all the time, as YAML: module, arguments and stores of each. Relay and watch may run twice, because a lock in
MySQL lets one of them work (R9).
Usage: include "apps.jobs" $ | fromYaml
*/}}
{{- define "apps.jobs" -}}
audit: { module: doorbuster.jobs.audit, arguments: [--serve], clients: [mysql], recreate: true }
relay: { module: doorbuster.jobs.relay, clients: [mysql, redis, kafka], recreate: false }
watch: { module: doorbuster.jobs.watch, clients: [mysql, kafka], recreate: false }
lag-exporter: { module: doorbuster.jobs.lag_exporter, clients: [kafka], recreate: true }
{{- end -}}
