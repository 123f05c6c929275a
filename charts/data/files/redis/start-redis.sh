#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# Starts one Redis instance in the role that the decision gives it, and keeps the note of its volume's progress.
#
# Until the decision nothing answers on Redis' port: for the Sentinels and replicas this instance is down, so an empty
# or stale volume can't be copied by anybody. What the peers need to know is on a bulletin, a second small redis-server
# without data on a port of its own, which stays until Redis itself answers.
#
# Environment: members.sh, configure.sh, and REDIS_PATIENCE_SECONDS (how long members out of reach are waited for).
set -euo pipefail

SCRIPTS=${BASH_SOURCE[0]%/*}
# shellcheck source=members.sh
source "$SCRIPTS/members.sh"
# shellcheck source=facts.sh
source "$SCRIPTS/facts.sh"
# shellcheck source=progress.sh
source "$SCRIPTS/progress.sh"
# shellcheck source=configure.sh
source "$SCRIPTS/configure.sh"
# shellcheck source=decide.sh
source "$SCRIPTS/decide.sh"

readonly CONFIG_FILE=/run/redis/redis.conf
# A member that should start and doesn't, or claims that collide for ever: look at everything anew by a restart.
readonly GIVE_UP_SECONDS=$((4 * REDIS_PATIENCE_SECONDS + 30))
# Reading a full append-only file takes seconds; the bulletin may stay longer without harm.
readonly LOADING_SECONDS=300

main() {
  umask 077
  resolve_members
  OWN_PROGRESS=$(read_progress)
  start_bulletin
  settle
  case $VERDICT in
    "replica of "*) redis_configuration "${VERDICT#replica of }" >"$CONFIG_FILE" ;;
    *) redis_configuration >"$CONFIG_FILE" ;;
  esac
  run_server
}

start_bulletin() {
  redis-server - >/dev/null <<CONFIG &
port $BULLETIN_PORT
dir ${CONFIG_FILE%/*}
save ""
appendonly no
requirepass $(quoted "$REDISCLI_AUTH")
CONFIG
  local deadline=$((SECONDS + 30))
  until publish undecided; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

# publish <undecided|claiming>
publish() {
  ask 127.0.0.1 "$BULLETIN_PORT" set member "$1,$OWN_PROGRESS" >/dev/null
}

# Sets VERDICT to `primary …` or `replica of …`. A claim is published before it is checked once more, so of two members
# that claim at the same time at least one sees the other.
settle() {
  local deadline=$((SECONDS + GIVE_UP_SECONDS)) last=''
  while ((SECONDS < deadline)); do
    evaluate
    if [[ $VERDICT == primary\ * ]]; then
      publish claiming
      evaluate
      [[ $VERDICT == primary\ * ]] || publish undecided
    fi
    [[ $VERDICT == "$last" ]] || say "$VERDICT"
    [[ $VERDICT == wait\ * ]] || return 0
    last=$VERDICT
    sleep 1
  done
  say "no decision after $GIVE_UP_SECONDS s"
  return 1
}

evaluate() {
  local patience=patient named ordinal members=()
  ((SECONDS < REDIS_PATIENCE_SECONDS)) || patience=impatient
  named=$(named_primary "${ADDRESSES[@]}") || named=-
  for ordinal in "${!ADDRESSES[@]}"; do
    if [[ $ordinal == "$OWN_ORDINAL" ]]; then
      members+=("$OWN_ADDRESS,undecided,$OWN_PROGRESS")
    else
      members+=("$(member_facts "$ordinal")")
    fi
  done
  VERDICT=$(decide "$OWN_ORDINAL" "$patience" "$named" "${members[@]}")
}

run_server() {
  redis-server "$CONFIG_FILE" &
  SERVER=$!
  trap 'kill -TERM "$SERVER"' TERM INT
  end_bulletin_when_serving &
  keep_progress &
  local status=0
  # A signal ends the first wait before the server has ended; its own status comes from the second.
  wait "$SERVER" || status=$?
  if kill -0 "$SERVER" 2>/dev/null; then
    status=0
    wait "$SERVER" || status=$?
  fi
  return "$status"
}

end_bulletin_when_serving() {
  local deadline=$((SECONDS + LOADING_SECONDS))
  until running_facts 127.0.0.1 >/dev/null || ((SECONDS >= deadline)); do
    sleep 0.2
  done
  ask 127.0.0.1 "$BULLETIN_PORT" shutdown nosave now force || true
}

main
