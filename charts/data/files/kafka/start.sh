#!/usr/bin/env bash
# Starts one node of the Kafka cluster, broker and controller in one. The volume is formatted once, at the first start;
# a volume of another cluster is refused.
#
# Environment (set by the StatefulSet): POD_NAME (its ordinal is the node's id), KAFKA_CLUSTER_ID, KAFKA_VOTERS
# (id@host:port of every controller), KAFKA_ADVERTISED_HOST, KAFKA_REPLICATION_FACTOR, KAFKA_MIN_INSYNC_REPLICAS,
# KAFKA_DEFAULT_PARTITIONS, KAFKA_HEAP (for -Xms and -Xmx), KAFKA_JAVA_OPTIONS.
set -euo pipefail

SCRIPTS=${BASH_SOURCE[0]%/*}
readonly PROPERTIES=/tmp/server.properties
readonly LOG_DIRECTORY=/data/kafka
readonly META_PROPERTIES=$LOG_DIRECTORY/meta.properties
readonly CLASS_PATH='/opt/kafka/libs/*'
# Formatting needs little, and the container's memory is planned for the server.
readonly FORMAT_HEAP=128m

main() {
  node_properties >"$PROPERTIES"
  if [[ -e $META_PROPERTIES ]]; then
    check_volume
  else
    format_volume
  fi
  run_server
}

node_properties() {
  cat "$SCRIPTS/server.properties"
  cat <<PROPERTIES
node.id=$(node_id)
controller.quorum.voters=$KAFKA_VOTERS
advertised.listeners=PLAINTEXT://$KAFKA_ADVERTISED_HOST:9092
num.partitions=$KAFKA_DEFAULT_PARTITIONS
default.replication.factor=$KAFKA_REPLICATION_FACTOR
min.insync.replicas=$KAFKA_MIN_INSYNC_REPLICAS
offsets.topic.replication.factor=$KAFKA_REPLICATION_FACTOR
transaction.state.log.replication.factor=$KAFKA_REPLICATION_FACTOR
transaction.state.log.min.isr=$KAFKA_MIN_INSYNC_REPLICAS
share.coordinator.state.topic.replication.factor=$KAFKA_REPLICATION_FACTOR
share.coordinator.state.topic.min.isr=$KAFKA_MIN_INSYNC_REPLICAS
PROPERTIES
}

node_id() {
  echo "${POD_NAME##*-}"
}

# Kafka refuses such a volume too, by a stack trace; this names what a person has to look at.
check_volume() {
  refuse_other cluster.id "$KAFKA_CLUSTER_ID"
  refuse_other node.id "$(node_id)"
}

# refuse_other <key> <what this node should find>
refuse_other() {
  local found
  found=$(sed -n "s/^$1=//p" "$META_PROPERTIES")
  [[ $found != "$2" ]] || return 0
  echo "refusing to start: the volume has $1 '$found', this node has '$2'." \
    "The volume belongs to another cluster or node; nothing was changed." >&2
  exit 1
}

# A kill in the middle of formatting leaves a volume without the file that says it is done: the next start repeats it.
format_volume() {
  local -a java
  java_command "$FORMAT_HEAP"
  "${java[@]}" kafka.tools.StorageTool format --cluster-id "$KAFKA_CLUSTER_ID" --config "$PROPERTIES" --ignore-formatted
}

# As process 1, so that the signal to stop reaches it.
run_server() {
  local -a java
  java_command "$KAFKA_HEAP"
  exec "${java[@]}" kafka.Kafka "$PROPERTIES"
}

# java_command <heap>; sets the caller's array `java`. Pods come back with new addresses, so a name is looked up again
# after seconds; half a minute is the JVM's own habit.
java_command() {
  local -a options
  read -r -a options <<<"$KAFKA_JAVA_OPTIONS"
  java=(
    java "-Xms$1" "-Xmx$1" -XX:+ExitOnOutOfMemoryError "${options[@]}"
    -Dsun.net.inetaddr.ttl=5 -Dsun.net.inetaddr.negative.ttl=1
    "-Dlog4j2.configurationFile=$SCRIPTS/log4j2.properties"
    -cp "$CLASS_PATH"
  )
}

main
