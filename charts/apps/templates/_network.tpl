{{/*
Egress rules: the stores of the release `data`. A store with an address of its own is somebody else's, and a rule in
networkPolicy.extraEgress lets it be reached.
Usage: include "apps.egressToStores" (dict "root" $ "clients" (list "mysql"))
*/}}
{{- define "apps.egressToStores" -}}
{{- $values := .root.Values -}}
{{- $elsewhere := dict "mysql" $values.mysql.hosts "redis" (or $values.redis.sentinels $values.redis.address) "kafka" $values.kafka.servers -}}
{{- $ports := dict "mysql" (list $values.mysql.port) "redis" (list 6379 26379) "kafka" (list 9092) -}}
{{- range $store := .clients }}
{{- if not (index $elsewhere $store) }}
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: data
          app.kubernetes.io/instance: {{ $values.dataRelease }}
          app.kubernetes.io/component: {{ $store }}
  ports:
    {{- range index $ports $store }}
    - port: {{ . }}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
The policy of one process: metrics come from whoever reads them, everything else is named.
Usage: include "apps.networkPolicy" (dict "root" $ "component" "relay" "clients" (list "mysql") …), with
  metrics          false for processes without an admin port
  from             peers that may reach its HTTP port, as YAML (optional)
  to               more egress rules, as YAML (optional)
  annotations      of the policy, as YAML (optional)
*/}}
{{- define "apps.networkPolicy" -}}
{{- $policies := .root.Values.networkPolicy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "common.fullname" . }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- if or .from (ne .metrics false) }}
  ingress:
    {{- with .from }}
    - from:
        {{- . | nindent 8 }}
      ports:
        - port: 8000
    {{- end }}
    {{- if ne .metrics false }}
    - from:
        {{- include "common.clients" "metrics" | nindent 8 }}
        {{- with $policies.metricsFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - port: 9100
    {{- end }}
  {{- else }}
  ingress: []
  {{- end }}
  egress:
    {{- include "common.egressToDns" .root | nindent 4 }}
    {{- with include "apps.egressToStores" (dict "root" .root "clients" (default list .clients)) }}
    {{- . | trim | nindent 4 }}
    {{- end }}
    {{- with .to }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- if .clients }}
    {{- with $policies.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- end }}
{{- end -}}

{{/*
Egress rule: the HTTP port of another component of this release.
Usage: include "apps.egressToComponent" (dict "root" $ "component" "partner")
*/}}
{{- define "apps.egressToComponent" -}}
- to:
    {{- include "common.peer" . | nindent 4 }}
  ports:
    - port: 8000
{{- end -}}
