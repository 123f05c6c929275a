{{/*
The applications' image; without a tag it is that of the chart's own version.
Usage: include "apps.image" $
*/}}
{{- define "apps.image" -}}
{{- $image := merge (dict "tag" (default .Chart.AppVersion .Values.image.tag)) (omit .Values.image "tag") -}}
{{- include "common.image" (dict "root" . "image" $image) -}}
{{- end -}}

{{/*
Labels that let a pod reach the stores.
Usage: include "apps.clientLabels" (list "mysql" "kafka")
*/}}
{{- define "apps.clientLabels" -}}
{{- range . }}
doorbuster.dev/client-{{ . }}: "true"
{{- end }}
{{- end -}}

{{/*
What all pods share: no token, no addresses of services in the environment, the standard "restricted".
Usage: include "apps.podSettings" $
*/}}
{{- define "apps.podSettings" -}}
automountServiceAccountToken: false
enableServiceLinks: false
# As the first process of its namespace a program that has no handler yet, because it is still starting, would ignore
# SIGTERM, and its pod stayed for the whole grace period.
shareProcessNamespace: true
{{- with include "common.imagePullSecrets" . }}
{{- . | trim | nindent 0 }}
{{- end }}
securityContext:
  {{- include "common.podSecurityContext" (dict "user" 10001) | nindent 2 }}
{{- end -}}

{{/*
What all containers share.
Usage: include "apps.containerSettings" (dict "root" $ "cpu" "10m")
*/}}
{{- define "apps.containerSettings" -}}
image: {{ include "apps.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
resources:
  requests:
    cpu: {{ .cpu }}
    memory: {{ .root.Values.memoryRequest }}
  limits:
    memory: {{ .root.Values.memoryLimit }}
securityContext:
  {{- include "common.containerSecurityContext" .root | nindent 2 }}
{{- end -}}

{{/*
Probes on one port. Liveness and readiness ask no store (R17). A start imports and compiles nothing, but shares its
cores with all the others.
Usage: include "apps.probes" (dict "port" "admin" "ready" "/readyz")
*/}}
{{- define "apps.probes" -}}
startupProbe:
  httpGet:
    path: /livez
    port: {{ .port }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
readinessProbe:
  httpGet:
    path: {{ .ready }}
    port: {{ .port }}
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  httpGet:
    path: /livez
    port: {{ .port }}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 4
{{- end -}}

{{/*
A Deployment of one process.
Usage: include "apps.deployment" (dict "root" $ "component" "relay" "module" "doorbuster.jobs.relay" "cpu" "10m" …), with
  arguments  words behind the module (optional)
  clients    stores that it reaches (optional)
  poolSize   connections to MySQL (optional)
  replicas   how many; left out where somebody else decides (P9)
  port       its HTTP port's number, for those that serve (optional)
  metrics    false for processes without an admin port
  recreate   true where two at once make no sense
  drain      true where requests come through a Service: endpoints go before the process does
  environment, mounts, volumes  more of them, as YAML (optional)
*/}}
{{- define "apps.deployment" -}}
{{- $part := dict "root" .root "component" .component -}}
{{- $clients := default list .clients -}}
{{- $metrics := ne .metrics false -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "common.fullname" $part }}
  labels:
    {{- include "common.labels" $part | nindent 4 }}
spec:
  {{- with .replicas }}
  replicas: {{ . }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    {{- if .recreate }}
    type: Recreate
    {{- else }}
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
    {{- end }}
  selector:
    matchLabels:
      {{- include "common.selectorLabels" $part | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "common.labels" $part | nindent 8 }}
        {{- with include "apps.clientLabels" $clients }}
        {{- . | trim | nindent 8 }}
        {{- end }}
      {{- if $metrics }}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9100"
      {{- end }}
    spec:
      {{- include "apps.podSettings" .root | nindent 6 }}
      topologySpreadConstraints:
        {{- include "common.spread" $part | nindent 8 }}
      # 30 s to finish what is in hand (R10), and what the drain takes.
      terminationGracePeriodSeconds: 45
      containers:
        - name: {{ .component }}
          command: [python3, -m, {{ .module }}{{ range .arguments }}, {{ . | quote }}{{ end }}]
          {{- include "apps.containerSettings" . | nindent 10 }}
          env:
            {{- include "apps.environment" (dict "root" .root "clients" $clients "poolSize" .poolSize) | nindent 12 }}
            {{- with .environment }}
            {{- . | nindent 12 }}
            {{- end }}
          {{- if or .port $metrics }}
          ports:
            {{- with .port }}
            - name: http
              containerPort: {{ . }}
            {{- end }}
            {{- if $metrics }}
            - name: admin
              containerPort: 9100
            {{- end }}
          {{- end }}
          {{- include "apps.probes" (dict "port" (ternary "admin" "http" $metrics) "ready" (ternary "/readyz" "/livez" $metrics)) | nindent 10 }}
          {{- if .drain }}
          lifecycle:
            preStop:
              sleep:
                seconds: 5
          {{- end }}
          volumeMounts:
            - name: temporary
              mountPath: /tmp
            {{- with include "apps.passwordMounts" (dict "clients" $clients) }}
            {{- . | trim | nindent 12 }}
            {{- end }}
            {{- with .mounts }}
            {{- . | nindent 12 }}
            {{- end }}
      volumes:
        - name: temporary
          emptyDir:
            sizeLimit: 16Mi
        {{- with include "apps.passwordVolumes" (dict "root" .root "clients" $clients) }}
        {{- . | trim | nindent 8 }}
        {{- end }}
        {{- with .volumes }}
        {{- . | nindent 8 }}
        {{- end }}
{{- end -}}

{{/*
A Service of one process' HTTP port.
Usage: include "apps.service" (dict "root" $ "component" "api")
*/}}
{{- define "apps.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "common.fullname" . }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "common.selectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: 80
      targetPort: http
{{- end -}}
