{{/*
Each consumer's group and what it reads, as the applications have them in contracts/topics.py; a test compares both.
`partitions` are those of topics that have a number of their own.
Usage: include "apps.consumerGroups" $ | fromYaml
*/}}
{{- define "apps.consumerGroups" -}}
stock:
  group: stock-service-group
  topics: [order-created, order-cancelled]
coupon:
  group: coupon-service-group
  topics: [order-created, order-cancelled]
order-flow:
  group: order-flow-manager-group
  topics: [stock-reserved, coupon-used, payment-result]
payment:
  group: payment-service-group
  topics: [process-payment, order-cancelled]
post-process:
  group: post-process-group
  topics: [order-completed]
external-data:
  group: external-data-service-group
  topics: [send-order-data]
coupon-issuer:
  group: coupon-issuer-group
  topics: [coupon-issued]
  partitions: 10
{{- end -}}

{{/*
How one consumer is scaled: its own values before those of `autoscaling`. By hand, because `merge` passes over a value
that is false or 0. More replicas than partitions would be idle; the operator doesn't order them either.
Usage: include "apps.scaling" (dict "root" $ "name" "stock" "consumer" $consumer) | fromYaml
*/}}
{{- define "apps.scaling" -}}
{{- $all := .root.Values.autoscaling -}}
{{- $own := default dict .consumer.scaling -}}
{{- $scaling := dict -}}
{{- range $key := list "minReplicas" "maxReplicas" "utilization" "capacityHint" "paused" "dryRun" -}}
{{- $_ := set $scaling $key (ternary (get $own $key) (get $all $key) (hasKey $own $key)) -}}
{{- end -}}
{{- range $section := list "slo" "scaleDown" -}}
{{- $_ := set $scaling $section (merge (dict) (default dict (get $own $section)) (get $all $section)) -}}
{{- end -}}
{{- $group := get (include "apps.consumerGroups" .root | fromYaml) .name -}}
{{- $partitions := int (default .root.Values.topics.partitions $group.partitions) -}}
{{- $_ := set $scaling "maxReplicas" (min (int $scaling.maxReplicas) $partitions) -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "consumer %s: minReplicas %d is above %d, the lower of maxReplicas and its topics' partitions" .name (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- $scaling | toYaml -}}
{{- end -}}
