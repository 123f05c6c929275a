{{/*
Refuses values that contradict each other, with a sentence that says what to do. Included by the template that is
always rendered.
Usage: include "observability.validate" $
*/}}
{{- define "observability.validate" -}}
{{- if ge (int .Values.scrape.timeoutSeconds) (int .Values.scrape.intervalSeconds) -}}
{{- fail "scrape.timeoutSeconds has to be less than scrape.intervalSeconds: Prometheus refuses a scrape that outlasts its interval" -}}
{{- end -}}
{{- if and .Values.alertmanager.webhook.url .Values.alertmanager.webhook.existingSecret -}}
{{- fail "alertmanager.webhook.url and alertmanager.webhook.existingSecret exclude each other: leave one of them empty" -}}
{{- end -}}
{{- if and .Values.serviceMonitors.enabled (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- fail "serviceMonitors.enabled, but the cluster doesn't know monitoring.coreos.com/v1: install the Prometheus operator first, or leave it off (with `helm template` say --api-versions monitoring.coreos.com/v1)" -}}
{{- end -}}
{{- end -}}
