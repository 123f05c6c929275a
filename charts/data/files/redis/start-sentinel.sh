#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# Starts the Sentinel beside one Redis instance with a state made anew: from the other Sentinels if they know a
# primary, else from the Redis of this pod as soon as that has decided. What was on disk before is never read.
#
# Environment: members.sh and configure.sh.
set -euo pipefail

SCRIPTS=${BASH_SOURCE[0]%/*}
# shellcheck source=members.sh
source "$SCRIPTS/members.sh"
# shellcheck source=facts.sh
source "$SCRIPTS/facts.sh"
# shellcheck source=configure.sh
source "$SCRIPTS/configure.sh"

readonly SENTINEL_FILE=/run/redis/sentinel.conf
# Longer than Redis' own bound for its decision with the default patience; then the container starts again.
readonly GIVE_UP_SECONDS=180

main() {
  local primary
  umask 077
  resolve_members
  primary=$(await_primary)
  say "watches $primary"
  sentinel_configuration "$primary" >"$SENTINEL_FILE"
  exec redis-server "$SENTINEL_FILE" --sentinel
}

await_primary() {
  local others deadline=$((SECONDS + GIVE_UP_SECONDS))
  mapfile -t others < <(other_addresses)
  until named_primary "${others[@]}" || primary_of_this_pod; do
    if ((SECONDS >= deadline)); then
      say "nobody knows a primary after $GIVE_UP_SECONDS s"
      return 1
    fi
    sleep 1
  done
}

primary_of_this_pod() {
  local facts
  facts=$(running_facts 127.0.0.1) || return 1
  case $facts in
    primary) echo "$OWN_ADDRESS" ;;
    *) echo "${facts#replica,}" ;;
  esac
}

main
