#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# A row that the primary commits can be read on every member. The primary is found as applications find it: by asking.
#
# Environment: MYSQL_MEMBERS (host names), MYSQL_DATABASE; the password of `app` is in /secrets/app-password.
set -euo pipefail

readonly OPTIONS=/tmp/app.cnf
readonly APPLY_SECONDS=20

# shellcheck source=await.sh
source "${BASH_SOURCE[0]%/*}/await.sh"

main() {
  local members member
  umask 077
  read -r -a members <<<"$MYSQL_MEMBERS"
  printf '[client]\nuser=app\npassword="%s"\n' "$(</secrets/app-password)" >"$OPTIONS"
  await "$REACH_SECONDS" "no member knows a primary that takes a row" write_to_primary
  echo "the primary is $PRIMARY"
  for member in "${members[@]}"; do
    await "$APPLY_SECONDS" "$member doesn't have the row of $WRITTEN" has_row "$member"
    echo "$member has the row"
  done
  on "$PRIMARY" "DROP TABLE helm_test"
}

write_to_primary() {
  PRIMARY=$(primary_host) && WRITTEN=$(write_row "$PRIMARY")
}

primary_host() {
  local member found
  for member in "${members[@]}"; do
    found=$(on "$member" "SELECT MEMBER_HOST FROM performance_schema.replication_group_members
      WHERE MEMBER_STATE = 'ONLINE' AND MEMBER_ROLE = 'PRIMARY'") || continue
    [[ -z $found ]] || { echo "$found" && return 0; }
  done
  return 1
}

# write_row <primary>; prints when the row was written
write_row() {
  on "$1" "CREATE TABLE IF NOT EXISTS helm_test (id INT PRIMARY KEY, tested_at DATETIME(6) NOT NULL);
    REPLACE INTO helm_test VALUES (1, NOW(6));
    SELECT tested_at FROM helm_test"
}

# has_row <member>
has_row() {
  [[ $(on "$1" "SELECT tested_at FROM helm_test" 2>&1) == "$WRITTEN" ]]
}

# on <host> <statement>
on() {
  mysql --defaults-file="$OPTIONS" --host="$1" --connect-timeout=5 --batch --skip-column-names \
    --execute="$2" "$MYSQL_DATABASE"
}

main
