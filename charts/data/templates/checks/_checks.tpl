{{/*
"true" if there is anything to check.
Usage: if include "checks.enabled" $
*/}}
{{- define "checks.enabled" -}}
{{- if or .Values.mysql.enabled .Values.redis.enabled .Values.kafka.enabled }}true{{ end -}}
{{- end -}}

{{/*
What the checks' containers share. The heap of Kafka's tool decides the memory.
Usage: include "checks.container" (dict "root" $ "store" "mysql")
*/}}
{{- define "checks.container" -}}
{{- $image := (index .root.Values .store).image -}}
name: {{ .store }}
image: {{ include "common.image" (dict "root" .root "image" $image) }}
imagePullPolicy: {{ $image.pullPolicy }}
command: [bash, /scripts/{{ .store }}.sh]
resources:
  requests:
    cpu: 10m
    memory: 256Mi
  limits:
    memory: 256Mi
securityContext:
  {{- include "common.containerSecurityContext" .root | nindent 2 }}
{{- end -}}
