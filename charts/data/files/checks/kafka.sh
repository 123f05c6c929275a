#!/usr/bin/env bash
# The brokers answer and agree which cluster they are.
#
# Environment: KAFKA_BOOTSTRAP_SERVERS.
set -euo pipefail

exec java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' \
  org.apache.kafka.tools.ClusterTool cluster-id --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS"
