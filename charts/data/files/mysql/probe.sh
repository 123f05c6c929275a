#!/usr/bin/env bash
# probe.sh ready | alive: one question to the server of this pod, a few milliseconds.
#
# Environment: settings.sh.
set -euo pipefail

SCRIPTS=${BASH_SOURCE[0]%/*}
# shellcheck source=settings.sh
source "$SCRIPTS/settings.sh"
# shellcheck source=sql.sh
source "$SCRIPTS/sql.sh"
# shellcheck source=facts.sh
source "$SCRIPTS/facts.sh"

# Ready is a member of a group with its majority that lets clients in: a rolling update waits for that before it takes
# the next.
ready() {
  local state mode
  read -r _ state mode <<<"$(as_probe_here --execute="$FACTS_STATEMENT; SELECT @@offline_mode" | tr '\n' ' ')"
  [[ "$state ${mode##* }" == "online 0" ]] || { echo "this member is $state, offline mode ${mode##* }" && return 1; }
}

# Without a socket mysqld is starting, which may take long after a crash or a clone. The container ends with mysqld, so
# only a server that listens and says nothing is left to be found.
alive() {
  [[ ! -S $SOCKET ]] || mysqladmin --defaults-file="$RUN_FOLDER/probe.cnf" --socket="$SOCKET" ping >/dev/null
}

"$1"
