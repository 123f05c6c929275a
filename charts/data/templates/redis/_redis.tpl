{{/*
The pods' names, in the order of the ordinals; each pod's own Service has the same.
Usage: include "redis.pods" $
*/}}
{{- define "redis.pods" -}}
{{- $name := include "common.fullname" (dict "root" . "component" "redis") -}}
{{- $pods := list -}}
{{- range until (include "data.members" . | int) -}}
{{- $pods = append $pods (printf "%s-%d" $name .) -}}
{{- end -}}
{{- join " " $pods -}}
{{- end -}}

{{/*
The host names of the pods' own Services, in the same order. With the namespace: the bare name stands in the pod's own
hosts file, with the pod's address and not the Service's.
Usage: include "redis.services" $
*/}}
{{- define "redis.services" -}}
{{- $services := list -}}
{{- range splitList " " (include "redis.pods" .) -}}
{{- $services = append $services (printf "%s.%s.svc" . $.Release.Namespace) -}}
{{- end -}}
{{- join " " $services -}}
{{- end -}}

{{/*
What the entry scripts of both containers read. One member has no replica to wait for and nobody to agree with.
Usage: include "redis.environment" $
*/}}
{{- define "redis.environment" -}}
{{- $alone := eq .Values.size "small" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: REDIS_SERVICES
  value: {{ include "redis.services" . | quote }}
- name: REDIS_PASSWORD_FILE
  value: /secrets/redis/password
- name: REDIS_MAXMEMORY
  value: {{ printf "%dmb" (int .Values.redis.maxmemoryMebibytes) | quote }}
- name: REDIS_MIN_REPLICAS_TO_WRITE
  value: {{ ternary "0" "1" $alone | quote }}
- name: REDIS_QUORUM
  value: {{ ternary "1" "2" $alone | quote }}
- name: REDIS_PATIENCE_SECONDS
  value: {{ .Values.redis.patienceSeconds | quote }}
{{- end -}}

{{/*
What both containers mount.
Usage: include "redis.mounts" $
*/}}
{{- define "redis.mounts" -}}
- name: scripts
  mountPath: /scripts
  readOnly: true
- name: password
  mountPath: /secrets/redis
  readOnly: true
{{- end -}}

{{/*
The memory of the Redis container: the data, the copy of it that is written while a file is rewritten, and buffers.
Usage: include "redis.memory" $
*/}}
{{- define "redis.memory" -}}
{{- printf "%dMi" (add (mul 2 (int .Values.redis.maxmemoryMebibytes)) 64) -}}
{{- end -}}
