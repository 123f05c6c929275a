{{/*
The host name of the node with this id. It stays when the pod comes back with another address.
Usage: include "kafka.host" (dict "root" $ "id" 0)
*/}}
{{- define "kafka.host" -}}
{{- $name := include "common.fullname" (dict "root" .root "component" "kafka") -}}
{{- printf "%s-%d.%s.%s.svc" $name (int .id) $name .root.Release.Namespace -}}
{{- end -}}

{{/*
The controllers, as controller.quorum.voters wants them.
Usage: include "kafka.voters" $
*/}}
{{- define "kafka.voters" -}}
{{- $voters := list -}}
{{- range $id := until (include "data.members" . | int) -}}
{{- $voters = append $voters (printf "%d@%s:9093" $id (include "kafka.host" (dict "root" $ "id" $id))) -}}
{{- end -}}
{{- join "," $voters -}}
{{- end -}}

{{/*
The cluster's id: 22 characters of base64, of which the last carries only two bits. The same at each rendering, so that
a volume is known again, and another for each release.
Usage: include "kafka.clusterId" $
*/}}
{{- define "kafka.clusterId" -}}
{{- $derived := printf "%s/%s" .Release.Namespace .Release.Name | sha256sum | trunc 21 -}}
{{- default (printf "%sA" $derived) .Values.kafka.clusterId -}}
{{- end -}}

{{/*
The container's memory: the heap, what a broker needs beside it, and pages for its files. Measured with a heap of 384
MiB: 320 MiB after the start, 430 MiB after 300,000 messages; 600 MiB of pages were used as long as there was room.
Usage: include "kafka.memory" $
*/}}
{{- define "kafka.memory" -}}
{{- printf "%dMi" (add (int .Values.kafka.heapMebibytes) 640) -}}
{{- end -}}
