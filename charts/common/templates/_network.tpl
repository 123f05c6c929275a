{{/*
Egress rule: names. The cluster's DNS by its namespace and by port, because its pods' labels differ between clusters.
Usage: include "common.egressToDns" .
*/}}
{{- define "common.egressToDns" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/*
Peer: the pods of a component of this release.
Usage: include "common.peer" (dict "root" $ "component" "mysql")
*/}}
{{- define "common.peer" -}}
- podSelector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/*
Peer: pods of this namespace that say by a label that they are clients of a store.
Usage: include "common.clients" "mysql"
*/}}
{{- define "common.clients" -}}
- podSelector:
    matchLabels:
      doorbuster.dev/client-{{ . }}: "true"
{{- end -}}
