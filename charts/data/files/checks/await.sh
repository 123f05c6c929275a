# shellcheck shell=bash
# Waits for what can't be yet. Sourced by the checks of all stores.

# A new pod's address reaches the NetworkPolicies a moment after the pod has started; without DNS clients give up.
# shellcheck disable=SC2034  # used by who sources this
readonly REACH_SECONDS=30

# await <seconds> <what it means that it never succeeds> <command> [<argument>...]
await() {
  local deadline=$((SECONDS + $1)) complaint=$2
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || { echo "$complaint" >&2 && return 1; }
    sleep 0.5
  done
}
