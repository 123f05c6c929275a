{{/*
Alertmanager's configuration: one receiver, which does nothing when no webhook is named.
Usage: include "observability.alertmanagerConfiguration" $
*/}}
{{- define "observability.alertmanagerConfiguration" -}}
{{- $values := .Values.alertmanager -}}
route:
  receiver: webhook
  group_by: [alertname, severity]
  group_wait: {{ int $values.groupWaitSeconds }}s
  group_interval: {{ int $values.groupIntervalSeconds }}s
  repeat_interval: {{ int $values.repeatHours }}h
# Two thresholds on one thing have the same `subject`: the critical alert says all that the warning would.
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_matchers: ['severity="warning"', 'subject!=""']
    # Every label that an alert keeps: two of the same subject are about one thing if these are alike, too.
    equal: [subject, component, consumergroup, fault, group, invariant, method, partition, route, scaler, topic]
receivers:
  - name: webhook
    {{- if or $values.webhook.url $values.webhook.existingSecret }}
    webhook_configs:
      {{- if $values.webhook.existingSecret }}
      - url_file: /secrets/webhook/url
      {{- else }}
      - url: {{ $values.webhook.url | quote }}
      {{- end }}
        send_resolved: true
    {{- end }}
{{- end -}}
