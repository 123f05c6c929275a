{{/*
The issuers that the API believes, as JSON: those of the values, and the development issuer when it runs here.
Usage: include "apps.issuers" $
*/}}
{{- define "apps.issuers" -}}
{{- $issuers := list -}}
{{- range .Values.auth.issuers -}}
{{- $issuers = append $issuers (dict "issuer" .issuer "jwks_url" .jwksUrl) -}}
{{- end -}}
{{- if .Values.issuer.enabled -}}
{{- $host := include "common.fullname" (dict "root" . "component" "issuer") -}}
{{- $issuers = append $issuers (dict "issuer" "doorbuster-development" "jwks_url" (printf "http://%s/dev/issuer/.well-known/jwks.json" $host)) -}}
{{- end -}}
{{- toJson $issuers -}}
{{- end -}}

{{/*
The API's own environment.
Usage: include "apps.apiEnvironment" $
*/}}
{{- define "apps.apiEnvironment" -}}
- name: DOORBUSTER_AUTH__ISSUERS
  value: {{ include "apps.issuers" . | quote }}
- name: DOORBUSTER_AUTH__AUDIENCE
  value: {{ .Values.auth.audience | quote }}
{{ include "apps.catalogueEnvironment" . }}
- name: DOORBUSTER_COPIES__PROCESS
  value: {{ .Values.cache.process | quote }}
- name: DOORBUSTER_COPIES__REDIS
  value: {{ .Values.cache.redis | quote }}
{{- end -}}
