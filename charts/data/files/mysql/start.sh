#!/usr/bin/env bash
# Runs mysqld and, beside it, what keeps it in the group. The container lives as long as mysqld does.
#
# Environment: settings.sh, configure.sh and membership.sh.
set -euo pipefail

SCRIPTS=${BASH_SOURCE[0]%/*}
# shellcheck source=settings.sh
source "$SCRIPTS/settings.sh"
# shellcheck source=sql.sh
source "$SCRIPTS/sql.sh"
# shellcheck source=volume.sh
source "$SCRIPTS/volume.sh"
# shellcheck source=configure.sh
source "$SCRIPTS/configure.sh"
# shellcheck source=facts.sh
source "$SCRIPTS/facts.sh"
# shellcheck source=decide.sh
source "$SCRIPTS/decide.sh"
# shellcheck source=membership.sh
source "$SCRIPTS/membership.sh"

# How mysqld asks to be started again after its volume was replaced by a clone.
readonly RESTART_STATUS=16

main() {
  umask 077
  check_passwords
  write_client_options
  provide_volume
  server_options >"$SERVER_OPTIONS"
  # A socket that a killed server left would look like a server that doesn't answer.
  rm -f "$SOCKET" "$SOCKET.lock"
  # mysqld asks for a restart only if it believes that its parent will do it.
  export MYSQLD_PARENT_PID=$$
  trap stop TERM INT
  keep_membership &
  MEMBERSHIP=$!
  run_server
}

provide_volume() {
  ! volume_is_whole || return 0
  [[ ! -d $DATA_FOLDER ]] || set_aside
  make_volume
}

# Each turn but the last is the end of a clone.
run_server() {
  local status=$RESTART_STATUS
  while ((status == RESTART_STATUS)); do
    mysqld --defaults-file="$SERVER_OPTIONS" &
    SERVER=$!
    status=0
    # Whatever ends first: mysqld, the membership by a defect, or the wait by a signal.
    wait -n "$SERVER" "$MEMBERSHIP" || status=$?
    if kill -0 "$SERVER" 2>/dev/null; then
      stop
      status=0
      wait "$SERVER" || status=$?
    fi
  done
  return "$status"
}

stop() {
  kill -TERM "$MEMBERSHIP" "$SERVER" 2>/dev/null || true
}

main
