# shellcheck shell=bash
# The two configuration files. They are written anew at each start, from the environment and the members' addresses.
#
# Environment: REDIS_MAXMEMORY, REDIS_MIN_REPLICAS_TO_WRITE, REDIS_QUORUM.

# An isolated primary refuses writes after this many seconds without a word from a replica.
readonly MIN_REPLICAS_MAX_LAG_SECONDS=10
# Longer than a pause of a busy two-core machine, short enough for a failover well under 20 s.
readonly DOWN_AFTER_MILLISECONDS=5000
readonly FAILOVER_TIMEOUT_MILLISECONDS=30000

# redis_configuration [<address of the primary>]; without one the instance starts as the primary.
redis_configuration() {
  cat <<CONFIG
port $REDIS_PORT
dir $DATA_DIRECTORY
# The append-only file is the only copy on disk; snapshots beside it would double the writes.
appendonly yes
appendfsync everysec
save ""
maxmemory $REDIS_MAXMEMORY
# A gate that forgot keys to make room would let too many through, silently. A refused write is seen.
maxmemory-policy noeviction
min-replicas-to-write $REDIS_MIN_REPLICAS_TO_WRITE
min-replicas-max-lag $MIN_REPLICAS_MAX_LAG_SECONDS
replica-announce-ip $OWN_ADDRESS
replica-announce-port $REDIS_PORT
repl-diskless-sync-delay 1
repl-backlog-size 8mb
# The default (256 MB) exceeds the container's memory.
client-output-buffer-limit replica 64mb 32mb 60
requirepass $(quoted "$REDISCLI_AUTH")
masterauth $(quoted "$REDISCLI_AUTH")
CONFIG
  [[ -z ${1:-} ]] || echo "replicaof $1 $REDIS_PORT"
}

# sentinel_configuration <address of the primary>
sentinel_configuration() {
  cat <<CONFIG
port $SENTINEL_PORT
dir ${SENTINEL_FILE%/*}
requirepass $(quoted "$REDISCLI_AUTH")
sentinel sentinel-pass $(quoted "$REDISCLI_AUTH")
sentinel myid $(sentinel_id "$OWN_ORDINAL")
sentinel announce-ip $OWN_ADDRESS
sentinel announce-port $SENTINEL_PORT
sentinel monitor $PRIMARY_NAME $1 $REDIS_PORT $REDIS_QUORUM
sentinel auth-pass $PRIMARY_NAME $(quoted "$REDISCLI_AUTH")
sentinel down-after-milliseconds $PRIMARY_NAME $DOWN_AFTER_MILLISECONDS
sentinel failover-timeout $PRIMARY_NAME $FAILOVER_TIMEOUT_MILLISECONDS
sentinel parallel-syncs $PRIMARY_NAME 1
CONFIG
  known_members "$1"
}

# The peers are known from the start, so a Sentinel takes part in a vote even if the primary is gone when it starts.
known_members() {
  local ordinal
  for ordinal in "${!ADDRESSES[@]}"; do
    [[ ${ADDRESSES[ordinal]} == "$1" ]] ||
      echo "sentinel known-replica $PRIMARY_NAME ${ADDRESSES[ordinal]} $REDIS_PORT"
    [[ $ordinal == "$OWN_ORDINAL" ]] ||
      echo "sentinel known-sentinel $PRIMARY_NAME ${ADDRESSES[ordinal]} $SENTINEL_PORT $(sentinel_id "$ordinal")"
  done
}

# The same at every start: a new id would count as one more Sentinel and raise the majority.
sentinel_id() {
  local digest
  read -r digest _ < <(printf '%s/%s' "$POD_NAMESPACE" "${POD_NAME%-*}-$1" | sha1sum)
  echo "$digest"
}
