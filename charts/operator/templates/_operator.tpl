{{/*
The name of everything: the release's, because there is one component.
Usage: include "operator.fullname" $
*/}}
{{- define "operator.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/*
Labels of everything.
Usage: include "operator.labels" $
*/}}
{{- define "operator.labels" -}}
{{- include "common.labels" (dict "root" . "component" "operator") -}}
{{- end -}}

{{/*
What never changes about the pod.
Usage: include "operator.selectorLabels" $
*/}}
{{- define "operator.selectorLabels" -}}
{{- include "common.selectorLabels" (dict "root" . "component" "operator") -}}
{{- end -}}

{{/*
The operator's image; without a tag it is that of the chart's own version.
Usage: include "operator.image" $
*/}}
{{- define "operator.image" -}}
{{- $image := merge (dict "tag" (default .Chart.AppVersion .Values.image.tag)) (omit .Values.image "tag") -}}
{{- include "common.image" (dict "root" . "image" $image) -}}
{{- end -}}

{{/*
Namespaces in which scalers are looked for, as JSON.
Usage: include "operator.namespaces" $ | fromJsonArray
*/}}
{{- define "operator.namespaces" -}}
{{- default (list .Release.Namespace) .Values.namespaces | toJson -}}
{{- end -}}

{{/*
Where Prometheus is.
Usage: include "operator.prometheusUrl" $
*/}}
{{- define "operator.prometheusUrl" -}}
{{- default "http://observability-prometheus:9090" .Values.prometheus.url -}}
{{- end -}}

{{/*
Refuses values that contradict each other. Included by the Deployment.
Usage: include "operator.validate" $
*/}}
{{- define "operator.validate" -}}
{{- if gt (mulf 4.0 .Values.requestSeconds) (float64 .Values.tickSeconds) -}}
{{- fail (printf "requestSeconds %v is above a quarter of tickSeconds %v: a tick's calls would not end within half of it" .Values.requestSeconds .Values.tickSeconds) -}}
{{- end -}}
{{- end -}}
