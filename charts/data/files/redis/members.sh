# shellcheck shell=bash
# Who the members are, where they answer, and how a question is asked. Sourced by every script of this folder.
#
# Environment (set by the StatefulSet): POD_NAME, POD_NAMESPACE, REDIS_SERVICES (the pods' own Services, in the order
# of the ordinals), REDIS_PASSWORD_FILE.

# shellcheck disable=SC2034  # the scripts that source this file use what is set here

# The name under which Sentinel knows the primary; clients use it too.
readonly PRIMARY_NAME=doorbuster
readonly REDIS_PORT=6379
readonly SENTINEL_PORT=26379
# Before the decision a member answers here and not on Redis' port, so that nobody takes it for a running instance.
readonly BULLETIN_PORT=6380
# An answer inside a cluster takes a millisecond. Silence (a cut network) must not use up the patience of the decision.
readonly ANSWER_SECONDS=1
# A Service has its address before the pod starts; only the name server can be late, when a whole node starts.
readonly RESOLVE_SECONDS=60

OWN_ORDINAL=${POD_NAME##*-}
readonly OWN_ORDINAL
read -r -a SERVICES <<<"$REDIS_SERVICES"
readonly SERVICES
# redis-cli takes the password from here, so that it's in no list of processes.
REDISCLI_AUTH=$(<"$REDIS_PASSWORD_FILE")
export REDISCLI_AUTH

say() {
  printf '%(%FT%TZ)T %s: %s\n' -1 "${0##*/}" "$*" >&2
}

# Addresses change only when a Service is made anew; each start looks them up again.
resolve_members() {
  local service
  ADDRESSES=()
  for service in "${SERVICES[@]}"; do
    ADDRESSES+=("$(address_of "$service")") || return 1
  done
  OWN_ADDRESS=${ADDRESSES[OWN_ORDINAL]}
  readonly ADDRESSES OWN_ADDRESS
}

address_of() {
  local address deadline=$((SECONDS + RESOLVE_SECONDS))
  until read -r address _ < <(getent hosts "$1"); do
    if ((SECONDS >= deadline)); then
      say "the name $1 has no address after $RESOLVE_SECONDS s"
      return 1
    fi
    sleep 1
  done
  echo "$address"
}

is_member() {
  local address
  for address in "${ADDRESSES[@]}"; do
    [[ $address != "$1" ]] || return 0
  done
  return 1
}

# ask <address> <port> <command>...; fails without an answer and on an error reply
ask() {
  local address=$1 port=$2
  shift 2
  timeout "$ANSWER_SECONDS" redis-cli -e -h "$address" -p "$port" "$@" 2>/dev/null
}

# A value in Redis' configuration files; a password may hold anything but a line break.
quoted() {
  local value=${1//\\/\\\\}
  printf '"%s"' "${value//\"/\\\"}"
}
