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
The container's memory: the buffer pool, and what a server needs beside it. At rest that is 400 MiB; under load there come
the group's message cache (128 MiB), the write sets of transactions that not all members have yet, and what its allocator
keeps. With 768 MiB, three members were killed within eight minutes at 100 orders a second.
Usage: include "mysql.memory" $
*/}}
{{- define "mysql.memory" -}}
{{- printf "%dMi" (add (int .Values.mysql.bufferPoolMebibytes) 1280) -}}
{{- end -}}
