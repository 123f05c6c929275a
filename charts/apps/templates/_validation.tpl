{{/*
Refuses values that contradict each other, with a sentence that says what to do. Included by the first template.
Usage: include "apps.validate" $
*/}}
{{- define "apps.validate" -}}
{{- if and (eq .Values.profile "prod") .Values.issuer.enabled -}}
{{- fail "issuer.enabled with profile prod: the development issuer hands a token to whoever asks. Name your issuers in auth.issuers, or choose another profile" -}}
{{- end -}}
{{- if and (eq .Values.profile "prod") .Values.partner.enabled -}}
{{- fail "partner.enabled with profile prod: the stand-in forgets what it is told. Give the partner's address in partner.url, or choose another profile" -}}
{{- end -}}
{{- if and .Values.partner.enabled .Values.partner.url -}}
{{- fail "partner.url and partner.enabled exclude each other: it is either the partner or its stand-in" -}}
{{- end -}}
{{- range $name, $consumer := .Values.consumers -}}
{{- range $fault, $_ := include "apps.consumerFaults" $consumer | fromYaml -}}
{{- if not (default dict $.Values.faults).enabled -}}
{{- fail (printf "consumers.%s.faults.%s without faults.enabled: a fault is only for trying out. Set faults.enabled=true as well, or leave it empty" $name $fault) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $faults := default dict .Values.faults -}}
{{- if and $faults.poison (not $faults.enabled) -}}
{{- fail "faults.poison without faults.enabled: a fault is only for trying out. Set faults.enabled=true as well, or faults.poison=false" -}}
{{- end -}}
{{- if and (eq .Values.profile "prod") $faults.enabled -}}
{{- fail "faults.enabled with profile prod: faults are only for trying out. Choose another profile, or set faults.enabled=false" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) (not .Values.ingress.withoutHost) -}}
{{- fail "the Ingress has no rule: name hosts in ingress.hosts, or set ingress.withoutHost=true" -}}
{{- end -}}
{{- if and .Values.ingress.enabled .Values.ingress.tlsSecret (not .Values.ingress.hosts) -}}
{{- fail "ingress.tlsSecret without ingress.hosts: a certificate is for names. Name them in ingress.hosts, or leave the Secret out" -}}
{{- end -}}
{{- end -}}
