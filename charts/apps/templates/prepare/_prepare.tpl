{{/*
Annotations of what comes before the release: the policy first, then the Job. The Job stays when it failed, for its
logs.
Usage: include "apps.hook" -5
*/}}
{{- define "apps.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
