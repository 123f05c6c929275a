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
A duration that is a fault; nothing when it is off.
Usage: include "apps.faultTime" .faults.delayPerRecord
*/}}
{{- define "apps.faultTime" -}}
{{- $time := toString (default "" .) -}}
{{- if not (has $time (list "" "0" "0ms" "0s")) }}{{ $time }}{{ end -}}
{{- end -}}

{{/*
The faults of a consumer that are on, as YAML: the value's key and what it is.
Usage: include "apps.consumerFaults" $consumer | fromYaml
*/}}
{{- define "apps.consumerFaults" -}}
{{- $faults := default dict .faults -}}
{{- with include "apps.faultTime" $faults.delayPerRecord }}
delayPerRecord: {{ . | quote }}
{{- end }}
{{- with $faults.errorRate }}
errorRate: {{ . | quote }}
{{- end }}
{{- with $faults.stuckPartition }}
stuckPartition: {{ . | quote }}
{{- end }}
{{- with include "apps.faultTime" $faults.slowQuery }}
slowQuery: {{ . | quote }}
{{- end }}
{{- end -}}

{{/*
What one consumer's environment has more than the others'.
Usage: include "apps.consumerEnvironment" (dict "root" $ "name" "stock" "consumer" $consumer)
*/}}
{{- define "apps.consumerEnvironment" -}}
{{- if eq .name "external-data" -}}
{{- include "apps.partnerEnvironment" .root }}
{{ end -}}
{{- range $fault, $value := include "apps.consumerFaults" .consumer | fromYaml }}
- name: DOORBUSTER_FAULTS__{{ $fault | snakecase | upper }}
  value: {{ $value | quote }}
{{- end -}}
{{- end -}}
