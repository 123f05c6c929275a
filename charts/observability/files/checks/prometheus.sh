#!/bin/sh
# Prometheus is ready and has read what it should. For sh, because the official image has no other shell.
#
# Environment: PROMETHEUS, its address; QUERIES, one a line: each has to have an answer before the pod's deadline.
set -eu

ATTEMPTS=20
PAUSE_SECONDS=3

is_ready() {
  promtool check ready --url="$PROMETHEUS"
}

answers() {
  promtool query instant "$PROMETHEUS" "$1" | grep '=>'
}

# A pod that has just started isn't known to the network's policies for a moment, and waits for its first scrape.
wait_until() {
  for _ in $(seq "$ATTEMPTS"); do
    if "$@"; then
      return 0
    fi
    sleep "$PAUSE_SECONDS"
  done
  echo "not in time: $*" >&2
  return 1
}

wait_until is_ready
printf '%s\n' "$QUERIES" | while read -r query; do
  wait_until answers "$query"
done
