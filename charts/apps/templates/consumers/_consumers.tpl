{{/*
Where paid orders are delivered to: only the sender is told.
Usage: include "apps.partnerEnvironment" $
*/}}
{{- define "apps.partnerEnvironment" -}}
{{- $url := .Values.partner.url -}}
{{- if .Values.partner.enabled -}}
{{- $url = printf "http://%s/orders" (include "common.fullname" (dict "root" . "component" "partner")) -}}
{{- end -}}
{{- with $url -}}
- name: DOORBUSTER_PARTNER__ADDRESS
  value: {{ . | quote }}
{{- end -}}
{{- end -}}

{{/*
How long each record of a consumer is held up on purpose; nothing when the fault is off.
Usage: include "apps.faultDelay" $consumer
*/}}
{{- define "apps.faultDelay" -}}
{{- $delay := toString (default "" (default dict .faults).delayPerRecord) -}}
{{- if not (has $delay (list "" "0" "0ms" "0s")) }}{{ $delay }}{{ end -}}
{{- end -}}

{{/*
What one consumer's environment has more than the others'.
Usage: include "apps.consumerEnvironment" (dict "root" $ "name" "stock" "consumer" $consumer)
*/}}
{{- define "apps.consumerEnvironment" -}}
{{- if eq .name "external-data" -}}
{{- include "apps.partnerEnvironment" .root }}
{{ end -}}
{{- with include "apps.faultDelay" .consumer -}}
- name: DOORBUSTER_FAULTS__DELAY_PER_RECORD
  value: {{ . | quote }}
{{- end -}}
{{- end -}}
