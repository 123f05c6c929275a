{{/*
Which pods are scraped, where, and which labels their series get. Only labels that are named here are added, so a
pod-template-hash never becomes one.
Usage: include "observability.relabelings" .
*/}}
{{- define "observability.relabelings" -}}
- source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
  action: keep
  regex: "true"
# Jobs that have ended keep their annotations.
- source_labels: [__meta_kubernetes_pod_phase]
  action: keep
  regex: Running
- source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scheme]
  regex: (https?)
  target_label: __scheme__
- source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path]
  regex: (/.*)
  target_label: __metrics_path__
# One target a pod, however many ports its containers name: targets with the same address are one.
- source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
  regex: ([0-9.]+);([0-9]+)
  replacement: $1:$2
  target_label: __address__
- source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
  regex: ([0-9a-f]*:[0-9a-f:]+);([0-9]+)
  replacement: "[$1]:$2"
  target_label: __address__
- source_labels: [__meta_kubernetes_namespace]
  target_label: namespace
- source_labels: [__meta_kubernetes_pod_name]
  target_label: pod
- source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
  target_label: component
- source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_instance]
  target_label: release
{{- end -}}

{{/*
The namespaces whose pods are scraped, as a JSON list.
Usage: include "observability.namespaces" $ | fromJsonArray
*/}}
{{- define "observability.namespaces" -}}
{{- prepend .Values.scrape.namespaces .Release.Namespace | uniq | toJson -}}
{{- end -}}

{{/*
The Alertmanagers that are told, as a JSON list: ours and those of the values.
Usage: include "observability.alertmanagers" $ | fromJsonArray
*/}}
{{- define "observability.alertmanagers" -}}
{{- $found := .Values.prometheus.alertmanagers -}}
{{- if .Values.alertmanager.enabled -}}
{{- $found = prepend $found (printf "%s:9093" (include "common.fullname" (dict "root" . "component" "alertmanager"))) -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/*
The paths of the files of alert rules that aren't left out, as a JSON list.
Usage: include "observability.ruleFiles" $ | fromJsonArray
*/}}
{{- define "observability.ruleFiles" -}}
{{- $excluded := default list (default dict .Values.rules).exclude -}}
{{- $paths := list -}}
{{- range $path, $_ := .Files.Glob "files/rules/*.yaml" -}}
{{- if not (has (base $path | trimSuffix ".yaml") $excluded) -}}
{{- $paths = append $paths $path -}}
{{- end -}}
{{- end -}}
{{- toJson $paths -}}
{{- end -}}

{{/*
A file of alert rules, with the runbooks' address in front of their paths where one is given.
Usage: include "observability.rules" (dict "root" $ "path" "files/rules/lag.yaml")
*/}}
{{- define "observability.rules" -}}
{{- $text := .root.Files.Get .path -}}
{{- with .root.Values.runbooks.baseUrl -}}
{{- $text = regexReplaceAll "(runbook_url: *['\"]?)(runbooks/)" $text (printf "${1}%s/${2}" .) -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{/*
Prometheus' configuration.
Usage: include "observability.prometheusConfiguration" $
*/}}
{{- define "observability.prometheusConfiguration" -}}
{{- $scrape := .Values.scrape -}}
global:
  scrape_interval: {{ $scrape.intervalSeconds }}s
  scrape_timeout: {{ $scrape.timeoutSeconds }}s
  evaluation_interval: {{ $scrape.intervalSeconds }}s
rule_files:
  - /rules/*.yaml
{{- with include "observability.alertmanagers" . | fromJsonArray }}
alerting:
  alertmanagers:
    - static_configs:
        - targets:
            {{- toYaml . | nindent 12 }}
{{- end }}
scrape_configs:
  - job_name: pods
    # An endpoint that grew without bounds would take Prometheus' memory, and that of whoever reads from it.
    sample_limit: {{ int $scrape.sampleLimit }}
    body_size_limit: {{ int $scrape.bodySizeLimitMegabytes }}MB
    label_limit: {{ int $scrape.labelLimit }}
    kubernetes_sd_configs:
      - role: pod
        namespaces:
          names:
            {{- include "observability.namespaces" . | fromJsonArray | toYaml | nindent 12 }}
    relabel_configs:
      {{- include "observability.relabelings" . | nindent 6 }}
{{- end -}}
