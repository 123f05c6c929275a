#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# Before this pod stops: if its Redis is the primary, another Sentinel is asked to fail over, and its new vote is waited
# for. The Sentinel of this pod isn't asked, because it is being stopped at the same time. This instance itself may call
# itself primary a little longer; its replicas have left by then, so it refuses writes.
#
# Environment: members.sh.
set -euo pipefail

SCRIPTS=${BASH_SOURCE[0]%/*}
# shellcheck source=members.sh
source "$SCRIPTS/members.sh"
# shellcheck source=facts.sh
source "$SCRIPTS/facts.sh"

# A failover that was asked for takes two or three seconds. Longer means that everybody is being stopped.
readonly HAND_OVER_SECONDS=20

main() {
  local others
  resolve_members
  mapfile -t others < <(other_addresses)
  [[ $(running_facts 127.0.0.1) == primary ]] || return 0
  ask_for_failover "${others[@]}" || return 0
  await_successor "${others[@]}"
}

# ask_for_failover <address of a Sentinel>...
ask_for_failover() {
  local sentinel
  for sentinel in "$@"; do
    ! ask "$sentinel" "$SENTINEL_PORT" sentinel failover "$PRIMARY_NAME" >/dev/null || return 0
  done
  return 1
}

# await_successor <address of a Sentinel>...
await_successor() {
  local named deadline=$((SECONDS + HAND_OVER_SECONDS))
  while ((SECONDS < deadline)); do
    named=$(named_primary "$@") || named=$OWN_ADDRESS
    [[ $named == "$OWN_ADDRESS" ]] || return 0
    sleep 0.5
  done
}

main
