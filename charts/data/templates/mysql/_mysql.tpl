{{/*
The members' host names, in the order of the ordinals. They stay when a pod comes back with another address.
Usage: include "mysql.members" $
*/}}
{{- define "mysql.members" -}}
{{- $name := include "common.fullname" (dict "root" . "component" "mysql") -}}
{{- $members := list -}}
{{- range until (include "data.members" . | int) -}}
{{- $members = append $members (printf "%s-%d.%s.%s.svc" $name . $name $.Release.Namespace) -}}
{{- end -}}
{{- join " " $members -}}
{{- end -}}

{{/*
The group's name, a UUID: the same at each rendering, so that a volume is known again, and another for each release.
Usage: include "mysql.groupName" $
*/}}
{{- define "mysql.groupName" -}}
{{- $digits := printf "%s/%s" .Release.Namespace .Release.Name | sha256sum -}}
{{- $derived := printf "%s-%s-%s-%s-%s" (substr 0 8 $digits) (substr 8 12 $digits) (substr 12 16 $digits) (substr 16 20 $digits) (substr 20 32 $digits) -}}
{{- default $derived .Values.mysql.groupName -}}
{{- end -}}

{{/*
The container's memory at rest: the buffer pool, and what a server needs beside it.
Usage: include "mysql.memory" $
*/}}
{{- define "mysql.memory" -}}
{{- printf "%dMi" (add (int .Values.mysql.bufferPoolMebibytes) 768) -}}
{{- end -}}

{{/*
The most that the container may take. Under load there come the group's message cache (128 MiB), the write sets of the
transactions that all members don't have yet, and what connections and their threads keep: with 768 MiB above the buffer
pool, three members were killed within eight minutes at 100 orders a second.
Usage: include "mysql.memoryLimit" $
*/}}
{{- define "mysql.memoryLimit" -}}
{{- printf "%dMi" (add (int .Values.mysql.bufferPoolMebibytes) 1536) -}}
{{- end -}}
