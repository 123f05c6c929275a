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
