# shellcheck shell=bash
# What can be learned about the members, by one question to each server. Needs settings.sh and sql.sh.
# The form of a member's facts is decide.sh's.

# One line: <server uuid> <state> <transactions> <volumes in the group>, `-` for an empty one.
# Offline with received transactions that aren't applied yet counts as busy: its table of volumes may be behind.
readonly FACTS_STATEMENT="
WITH
  own AS (
    SELECT
      COALESCE(MAX(IF(MEMBER_ID = @@server_uuid, MEMBER_STATE, NULL)), 'OFFLINE') AS state,
      SUM(MEMBER_STATE = 'UNREACHABLE') * 2 < COUNT(*) AS majority
    FROM performance_schema.replication_group_members
  ),
  applier AS (
    SELECT COALESCE(MAX(RECEIVED_TRANSACTION_SET), '') AS received
    FROM performance_schema.replication_connection_status
    WHERE CHANNEL_NAME = 'group_replication_applier'
  ),
  transactions AS (
    -- Subtracting nothing brings the two sets into one.
    SELECT REPLACE(
      GTID_SUBTRACT(CONCAT_WS(',', NULLIF(@@gtid_executed, ''), NULLIF(received, '')), ''), '\n', '') AS everything
    FROM applier
  )
SELECT CONCAT_WS(' ',
  @@server_uuid,
  CASE
    WHEN own.state = 'ONLINE' AND own.majority THEN 'online'
    WHEN own.state = 'OFFLINE' AND GTID_SUBSET(applier.received, @@gtid_executed) THEN 'outside'
    ELSE 'busy'
  END,
  COALESCE(NULLIF(transactions.everything, ''), '-'),
  COALESCE((SELECT GROUP_CONCAT(ordinal, '=', server_uuid) FROM doorbuster_group.volume), '-'))
FROM own, applier, transactions"

# Fills FACTS with one line a member, an empty one where nobody answers. All are asked at the same time.
ask_all() {
  local ordinal asked=()
  for ordinal in "${!MEMBERS[@]}"; do
    facts_of "$ordinal" >"$RUN_FOLDER/facts-$ordinal" &
    asked[ordinal]=$!
  done
  for ordinal in "${!MEMBERS[@]}"; do
    wait "${asked[ordinal]}" || true
    FACTS[ordinal]=$(<"$RUN_FOLDER/facts-$ordinal")
  done
}

facts_of() {
  if [[ $1 == "$OWN_ORDINAL" ]]; then
    as_probe_here --execute="$FACTS_STATEMENT"
  else
    there probe "${MEMBERS[$1]}" --execute="$FACTS_STATEMENT"
  fi 2>/dev/null
}

# Fills WORDS from FACTS.
# shellcheck disable=SC2034  # membership.sh reads them
describe_members() {
  local ordinal state
  compare_transactions || return 1
  for ordinal in "${!MEMBERS[@]}"; do
    read -r _ state _ <<<"${FACTS[ordinal]}"
    case $state in
      '') WORDS[ordinal]=unreachable ;;
      online) WORDS[ordinal]=online,${HAS[ordinal]} ;;
      outside) WORDS[ordinal]=outside,${HAS[ordinal]},$(replaced_volumes "$ordinal") ;;
      *) WORDS[ordinal]=busy ;;
    esac
  done
}

# Fills HAS: for each member the ordinals whose transactions it has. The server knows the arithmetic of GTID sets.
compare_transactions() {
  local ordinal other columns sets=() rows=()
  for ordinal in "${!MEMBERS[@]}"; do
    read -r _ _ 'sets[ordinal]' _ <<<"${FACTS[ordinal]:-- - - -}"
  done
  for ordinal in "${!MEMBERS[@]}"; do
    columns=''
    for other in "${!MEMBERS[@]}"; do
      [[ -z ${FACTS[other]} ]] || columns+=", IF(GTID_SUBSET('${sets[other]#-}', '${sets[ordinal]#-}'), $other, '')"
    done
    rows+=("SELECT CONCAT(''$columns);")
  done
  mapfile -t HAS < <(printf '%s\n' "${rows[@]}" | as_probe_here)
  ((${#HAS[@]} == ${#MEMBERS[@]}))
}

# replaced_volumes <ordinal>: by this member's table of volumes
replaced_volumes() {
  local volumes entry uuid found=''
  read -r _ _ _ volumes <<<"${FACTS[$1]}"
  for entry in ${volumes//,/ }; do
    [[ $entry != - ]] || continue
    read -r uuid _ <<<"${FACTS[${entry%%=*}]:-}"
    [[ $uuid == "${entry#*=}" ]] || found+="${found:++}${entry%%=*}"
  done
  echo "${found:--}"
}
