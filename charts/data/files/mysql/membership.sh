# shellcheck shell=bash
# Keeps this server in the group: looks every few seconds, and decides again whenever it isn't in one.
# Needs settings.sh, sql.sh, facts.sh and decide.sh.
#
# Environment: MYSQL_DATABASE.

# In the group there is little to see; outside of it every second counts.
readonly SERVING_LOOK_SECONDS=5
readonly OUTSIDE_LOOK_SECONDS=1

readonly OWN_STATE_STATEMENT="
SELECT CONCAT_WS(' ', COALESCE(NULLIF(MAX(MEMBER_STATE), ''), 'OFFLINE'), COALESCE(NULLIF(MAX(MEMBER_ROLE), ''), '-'))
FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid OR MEMBER_ID = ''"

# Ends with the container, or by an error that only a start from the beginning cures.
keep_membership() {
  local state
  LAST_SAID='' SERVES_AS=''
  while true; do
    state=$(as_probe_here --execute="$OWN_STATE_STATEMENT" 2>/dev/null) || state='silent -'
    [[ $state == "$SERVES_AS" ]] || SERVES_AS=''
    case $state in
      ONLINE\ *) serve "$state" ;;
      OFFLINE\ *) find_group ;;
      ERROR\ *) leave_group ;;
      *) say_once "mysqld is ${state% *}" ;;
    esac
    if [[ -n $SERVES_AS ]]; then
      sleep "$SERVING_LOOK_SECONDS"
    else
      sleep "$OUTSIDE_LOOK_SECONDS"
    fi
  done
}

# say_once <what> [<details>]; details alone are no news
say_once() {
  [[ $1 == "$LAST_SAID" ]] || say "$1${2:-}"
  LAST_SAID=$1
}

# serve <state and role>; does its work once for each change
serve() {
  [[ -z $SERVES_AS ]] || return 0
  say_once "this member is $1"
  [[ $1 != *PRIMARY ]] || lead || return 0
  as_root_here --execute='SET GLOBAL offline_mode = OFF' || return 0
  SERVES_AS=$1
}

# What a group needs before it has clients. Whoever leads it looks, because the one that should have done it may be dead.
lead() {
  register_volume localhost || return 1
  [[ $(as_root_here --execute="SELECT COUNT(*) FROM mysql.user WHERE user = 'app'") != 1 ]] || return 0
  say "makes the database $MYSQL_DATABASE and its account"
  # The account comes last: with it, all is there. Performance schema: clients find the primary by asking, and a reader
  # asks how far a secondary is behind.
  as_root_here <<SQL
CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;
CREATE ROLE IF NOT EXISTS application;
GRANT ALL ON \`$MYSQL_DATABASE\`.* TO application;
GRANT SELECT ON performance_schema.replication_group_members TO application;
GRANT SELECT ON performance_schema.replication_group_member_stats TO application;
GRANT SELECT ON performance_schema.replication_applier_status_by_worker TO application;
CREATE USER app@'%' IDENTIFIED BY '$(password_of app)' DEFAULT ROLE application;
SQL
}

find_group() {
  local verdict
  close_server || return 0
  apply_received || return 0
  ask_all
  knows_itself || return 0
  describe_members || return 0
  verdict=$(decide "$OWN_ORDINAL" "${WORDS[@]}")
  case $verdict in
    bootstrap) start_group ;;
    join) join_group ;;
    *) tell "$verdict" ;;
  esac
}

# A server without the table of volumes has lost its data to a clone that was cut off. The next start of the container
# makes a new volume of it (volume.sh).
knows_itself() {
  [[ -z ${FACTS[OWN_ORDINAL]} ]] || return 0
  if [[ $(as_root_here --execute="SELECT COUNT(*) FROM information_schema.tables
    WHERE table_schema = 'doorbuster_group' AND table_name = 'volume'") == 0 ]]; then
    say "ends, because this volume isn't complete"
    exit 1
  fi
  return 1
}

# With the sets of transactions, because a person who is called by this message needs them.
tell() {
  local ordinal details='' transactions
  for ordinal in "${!MEMBERS[@]}"; do
    read -r _ _ transactions _ <<<"${FACTS[ordinal]:-- - unknown -}"
    details+="; ordinal $ordinal: ${WORDS[ordinal]%%,*}, transactions $transactions"
  done
  say_once "$1" "$details"
}

# The end of a crashed secondary's relay log holds transactions that count as received. Applied they can be compared,
# and the table of volumes is complete.
apply_received() {
  [[ $(as_probe_here --execute="$FACTS_STATEMENT") == *' busy '* ]] || return 0
  say_once "applies what it received before it stopped"
  as_root_here --execute="START REPLICA SQL_THREAD FOR CHANNEL 'group_replication_applier'"
  return 1
}

start_group() {
  say "starts the group with the transactions of this volume"
  as_root_here --execute='SET GLOBAL group_replication_bootstrap_group = ON' || return 0
  start_replication
  as_root_here --execute='SET GLOBAL group_replication_bootstrap_group = OFF'
}

join_group() {
  local primary
  primary=$(primary_host) || return 0
  if [[ $primary == "$OWN_HOST" ]]; then
    say_once "wait the group hasn't noticed yet that its primary, this member, was away"
    return 0
  fi
  register_volume "$primary" || return 0
  say "joins the group of $primary"
  start_replication
}

start_replication() {
  # It may run since the crash's rest was applied; there is none on a new volume.
  as_root_here --execute="STOP REPLICA SQL_THREAD FOR CHANNEL 'group_replication_applier'" 2>/dev/null || true
  as_root_here <<SQL || say "couldn't enter the group, looks again"
START GROUP_REPLICATION USER = 'replication', PASSWORD = '$(password_of replication)';
SQL
}

primary_host() {
  local ordinal host
  for ordinal in "${!MEMBERS[@]}"; do
    [[ ${WORDS[ordinal]} == online,* ]] || continue
    host=$(there probe "${MEMBERS[ordinal]}" --execute="SELECT MEMBER_HOST FROM performance_schema.replication_group_members
      WHERE MEMBER_STATE = 'ONLINE' AND MEMBER_ROLE = 'PRIMARY'") || continue
    [[ -z $host ]] || { echo "$host" && return 0; }
  done
  return 1
}

# register_volume <host of the primary>: before this member takes part in the group, so that no transaction can be
# only on a volume that the group doesn't know.
register_volume() {
  local uuid statement
  uuid=$(as_probe_here --execute='SELECT @@server_uuid') || return 1
  statement="INSERT INTO doorbuster_group.volume VALUES ($OWN_ORDINAL, '$uuid') AS brought
    ON DUPLICATE KEY UPDATE server_uuid = brought.server_uuid"
  if [[ $1 == localhost ]]; then
    as_root_here --execute="$statement"
  else
    there replication "$1" --execute="$statement"
  fi
}

# It stopped because it lost the group. Its own attempts to return are minutes apart; this script's are seconds apart.
leave_group() {
  say_once "lost the group, leaves it and looks again"
  close_server || return 0
  as_root_here --execute='STOP GROUP_REPLICATION' || true
}

# Outside of the group nobody reads old rows or writes new ones here, whatever the server was before.
close_server() {
  as_root_here --execute='SET GLOBAL offline_mode = ON; SET GLOBAL super_read_only = ON'
}
