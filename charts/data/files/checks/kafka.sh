#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# The brokers answer and agree which cluster they are.
#
# Environment: KAFKA_BOOTSTRAP_SERVERS.
set -euo pipefail

# shellcheck source=await.sh
source "${BASH_SOURCE[0]%/*}/await.sh"

main() {
  await "$REACH_SECONDS" "$KAFKA_BOOTSTRAP_SERVERS doesn't answer" cluster_id
}

cluster_id() {
  java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' \
    org.apache.kafka.tools.ClusterTool cluster-id --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS"
}

main
