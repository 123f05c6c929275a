#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# The primary that the Sentinels name accepts a write.
#
# Environment: REDIS_SERVICES (the pods' own Services); the password is in /secrets/password.
set -euo pipefail

REDISCLI_AUTH=$(</secrets/password)
export REDISCLI_AUTH

# shellcheck source=await.sh
source "${BASH_SOURCE[0]%/*}/await.sh"

main() {
  await "$REACH_SECONDS" "no Sentinel names a primary that can be written to" write_to_primary
}

write_to_primary() {
  local services service address port
  read -r -a services <<<"$REDIS_SERVICES"
  for service in "${services[@]}"; do
    { read -r address && read -r port; } < <(
      redis-cli -e -t 5 -h "$service" -p 26379 sentinel get-master-addr-by-name doorbuster
    ) || continue
    echo "the Sentinel of $service names $address:$port"
    redis-cli -e -t 5 -h "$address" -p "$port" set doorbuster:helm-test written ex 10 && return 0
  done
  return 1
}

main
