{{/*
How many members a store has: three, or one in size small.
Usage: include "data.members" $
*/}}
{{- define "data.members" -}}
{{- if eq .Values.size "small" }}1{{ else }}3{{ end -}}
{{- end -}}

{{/*
A volume's storage class, when one is chosen.
Usage: include "data.storageClass" $
*/}}
{{- define "data.storageClass" -}}
{{- with .Values.global.storageClass }}
storageClassName: {{ . }}
{{- end }}
{{- end -}}
