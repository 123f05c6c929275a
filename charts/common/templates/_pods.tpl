{{/*
An image's full name; a digest wins over a tag.
Usage: include "common.image" (dict "root" $ "image" .Values.mysql.image)
*/}}
{{- define "common.image" -}}
{{- $registry := default .image.registry ((.root.Values.global).imageRegistry) -}}
{{- if .image.digest -}}
{{- printf "%s/%s@%s" $registry .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $registry .image.repository (required "an image needs a tag or a digest" .image.tag | toString) -}}
{{- end -}}
{{- end -}}

{{/*
The pull secrets of every pod, from global.imagePullSecrets.
Usage: include "common.imagePullSecrets" $
*/}}
{{- define "common.imagePullSecrets" -}}
{{- with (.Values.global).imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/*
Pod Security Standard "restricted", for a numeric account.
Usage: include "common.podSecurityContext" (dict "user" 999)
*/}}
{{- define "common.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
# Changing the owner of every file of a large volume at each start would take minutes.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/*
Pod Security Standard "restricted", for a container.
Usage: include "common.containerSecurityContext" .
*/}}
{{- define "common.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
Spreads a component's pods over nodes, without refusing to start where there is only one.
Usage: include "common.spread" (dict "root" $ "component" "mysql")
*/}}
{{- define "common.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/*
One voluntary disruption at a time; a pod that isn't ready anyway never blocks a drain.
Usage: include "common.pdb" (dict "root" $ "component" "mysql")
*/}}
{{- define "common.pdb" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "common.fullname" . }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
{{- end -}}
