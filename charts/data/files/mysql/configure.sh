# shellcheck shell=bash
# The server's options. They are written anew at each start, from the environment.
# Needs settings.sh and volume.sh.
#
# Environment: MYSQL_GROUP_NAME, MYSQL_POD_NETWORKS, MYSQL_BUFFER_POOL_MEBIBYTES, MYSQL_MAX_CONNECTIONS,
# MYSQL_BINLOG_SECONDS, MYSQL_MAX_EXECUTION_MILLISECONDS.

server_options() {
  echo '[mysqld]'
  place_options
  transaction_options
  capacity_options
  group_options
}

# A server starts closed: only the group lets clients in and allows writes.
place_options() {
  cat <<OPTIONS
datadir=$DATA_FOLDER
socket=$SOCKET
pid-file=$RUN_FOLDER/mysqld.pid
tmpdir=/tmp
secure-file-priv=NULL
$(messages_option)
# The second protocol has no client here.
mysqlx=OFF
# Accounts are for any host; a lookup of each client's address would only add a wait.
skip-name-resolve=ON
offline-mode=ON
super-read-only=ON
default-time-zone=+00:00
character-set-server=utf8mb4
collation-server=utf8mb4_0900_ai_ci
# Group Replication refuses writes to tables without one.
sql-require-primary-key=ON
OPTIONS
}

transaction_options() {
  cat <<OPTIONS
server-id=$((100 + OWN_ORDINAL))
report-host=$OWN_HOST
gtid-mode=ON
enforce-gtid-consistency=ON
log-bin=binlog
relay-log=relay
binlog-expire-logs-seconds=$MYSQL_BINLOG_SECONDS
# What is acknowledged is on the disk.
sync-binlog=1
innodb-flush-log-at-trx-commit=1
transaction-isolation=READ-COMMITTED
# Every row that was written is remembered until there are so many, to tell which transactions may be repeated beside
# each other. The default of millions is hundreds of MiB on each member, and only distributed recovery would use it.
binlog-transaction-dependency-history-size=25000
# One second: a lock that takes longer is a mistake in the order of locks, and the caller's time-out is two.
innodb-lock-wait-timeout=1
# Covers only SELECT; writes are bounded by the client and by the wait for a lock.
max-execution-time=$MYSQL_MAX_EXECUTION_MILLISECONDS
OPTIONS
}

capacity_options() {
  cat <<OPTIONS
innodb-buffer-pool-size=${MYSQL_BUFFER_POOL_MEBIBYTES}M
max-connections=$MYSQL_MAX_CONNECTIONS
# There are machines where a process may open 20,000 files and no more.
open-files-limit=10000
table-open-cache=2000
innodb-log-buffer-size=16M
# Of all internal temporary tables together; the default of 1 GiB is more than half of what the container may have.
temptable-max-ram=64M
# Histories of single statements that nobody reads here, and 8,000 more rows of the summary by statement, would take
# 75 MiB.
performance-schema-digests-size=2000
performance-schema-events-statements-history-long-size=0
performance-schema-events-stages-history-long-size=0
performance-schema-events-waits-history-long-size=0
performance-schema-events-transactions-history-long-size=0
OPTIONS
}

group_options() {
  cat <<OPTIONS
plugin-load-add=group_replication.so
plugin-load-add=mysql_clone.so
# membership.sh starts the group, after the decision.
group-replication-start-on-boot=OFF
group-replication-group-name=$MYSQL_GROUP_NAME
group-replication-local-address=$OWN_HOST:$GROUP_PORT
group-replication-group-seeds=$(printf "%s:$GROUP_PORT," "${MEMBERS[@]}" | sed 's/,$//')
group-replication-ip-allowlist=$MYSQL_POD_NETWORKS
group-replication-recovery-get-public-key=ON
# A donor that was busy or away is asked again soon; after ten attempts the decision begins anew.
group-replication-recovery-reconnect-interval=5
group-replication-consistency=BEFORE_ON_PRIMARY_FAILOVER
group-replication-exit-state-action=OFFLINE_MODE
group-replication-unreachable-majority-timeout=10
group-replication-autorejoin-tries=3
# Seconds after the first suspicion. Shorter would expel members of a busy two-core machine.
group-replication-member-expel-timeout=20
group-replication-transaction-size-limit=$((20 * 1024 * 1024))
# The default lets the cache of messages grow to 1 GiB, more than the container has. This is the smallest.
group-replication-message-cache-size=$((128 * 1024 * 1024))
# A member that lacks more transactions gets a copy of the volume: about when repeating them takes longer than a copy.
group-replication-clone-threshold=100000
OPTIONS
}
