{{/*
The name of everything of one component: <release>-<component>.
Cut to 52 characters: a StatefulSet's pods carry a label of the name and an 11-character hash, and labels hold 63.
Usage: include "common.fullname" (dict "root" $ "component" "mysql")
*/}}
{{- define "common.fullname" -}}
{{- $release := default .root.Release.Name .root.Values.fullnameOverride -}}
{{- printf "%s-%s" $release .component | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/*
What never changes about a component's pods; selectors are immutable, so no version in here.
Usage: include "common.selectorLabels" (dict "root" $ "component" "mysql")
*/}}
{{- define "common.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/*
Kubernetes' recommended labels.
Usage: include "common.labels" (dict "root" $ "component" "mysql")
*/}}
{{- define "common.labels" -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | default .root.Chart.Version | quote }}
app.kubernetes.io/part-of: doorbuster
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}
