# shellcheck shell=bash
# Waits for what a new pod can't do yet. Sourced by the checks of all stores.

# A new pod's address reaches the NetworkPolicies a moment after the pod has started; without DNS clients give up.
readonly REACH_SECONDS=30

# reach <what it means that it never succeeded> <command>
reach() {
  until "$2"; do
    ((SECONDS < REACH_SECONDS)) || { echo "$1" >&2 && return 1; }
    sleep 1
  done
}
