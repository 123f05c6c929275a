#!/usr/bin/env bash
# The brokers answer and agree which cluster they are.
#
# Environment: KAFKA_BOOTSTRAP_SERVERS.
set -euo pipefail

# A new pod's address reaches the NetworkPolicies a moment after the pod has started; without DNS the tool gives up.
readonly REACH_SECONDS=30

main() {
  until cluster_id; do
    ((SECONDS < REACH_SECONDS)) || { echo "$KAFKA_BOOTSTRAP_SERVERS doesn't answer" >&2 && return 1; }
    sleep 1
  done
}

cluster_id() {
  java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' \
    org.apache.kafka.tools.ClusterTool cluster-id --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS"
}

main
