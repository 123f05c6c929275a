#!/usr/bin/env bash
# probe.sh redis-ready | redis-alive | sentinel-ready: one question, a few milliseconds.
#
# Environment: REDIS_PASSWORD_FILE.
set -euo pipefail

REDISCLI_AUTH=$(<"$REDIS_PASSWORD_FILE")
export REDISCLI_AUTH

# Ready is a primary, or a replica whose copy is complete: a rolling update waits for that before it takes the next.
redis_ready() {
  local role
  mapfile -t role < <(redis-cli -e -p 6379 role)
  [[ ${role[0]:-} == master || ${role[3]:-} == connected ]]
}

# Any answer will do, "loading" too: only a server that says nothing is started again.
redis_alive() {
  redis-cli -p 6379 ping >/dev/null
}

case $1 in
  redis-ready) redis_ready ;;
  redis-alive) redis_alive ;;
  sentinel-ready) redis-cli -e -p 26379 ping >/dev/null ;;
esac
