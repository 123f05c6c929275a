{{/*
What all pods share: no token, no addresses of services in the environment, the standard "restricted", and the account
of the public images.
Usage: include "observability.podSettings" $
*/}}
{{- define "observability.podSettings" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with include "common.imagePullSecrets" . }}
{{- . | trim | nindent 0 }}
{{- end }}
securityContext:
  {{- include "common.podSecurityContext" (dict "user" 65534) | nindent 2 }}
{{- end -}}

{{/*
Image and security of a container.
Usage: include "observability.containerSettings" (dict "root" $ "image" .Values.prometheus.image)
*/}}
{{- define "observability.containerSettings" -}}
image: {{ include "common.image" . }}
imagePullPolicy: {{ .image.pullPolicy }}
securityContext:
  {{- include "common.containerSecurityContext" .root | nindent 2 }}
{{- end -}}

{{/*
Probes of Prometheus and Alertmanager. A start may have to read back what was written since the last block of samples.
Usage: include "observability.probes" .
*/}}
{{- define "observability.probes" -}}
startupProbe:
  httpGet:
    path: /-/ready
    port: http
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 150
readinessProbe:
  httpGet:
    path: /-/ready
    port: http
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  httpGet:
    path: /-/healthy
    port: http
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 4
{{- end -}}

{{/*
The volume `data` of a component: a claim of the same name, or a limited folder that goes with the pod.
Usage: include "observability.dataVolume" (dict "root" $ "component" "prometheus")
*/}}
{{- define "observability.dataVolume" -}}
{{- $values := index .root.Values .component -}}
- name: data
  {{- if $values.persistence }}
  persistentVolumeClaim:
    claimName: {{ include "common.fullname" . }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ printf "%dMi" (int $values.storageMebibytes) }}
  {{- end }}
{{- end -}}

{{/*
The claim of a component; it outlives the release, and the next one of the same name takes it up.
Usage: include "observability.claim" (dict "root" $ "component" "prometheus")
*/}}
{{- define "observability.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "common.fullname" . }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with .root.Values.global.storageClass }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ printf "%dMi" (int (index .root.Values .component).storageMebibytes) }}
{{- end -}}

{{/*
A Service of one component.
Usage: include "observability.service" (dict "root" $ "component" "prometheus" "port" 9090)
*/}}
{{- define "observability.service" -}}
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
      port: {{ .port }}
      targetPort: http
{{- end -}}
