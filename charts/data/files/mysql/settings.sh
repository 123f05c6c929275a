# shellcheck shell=bash
# Who the members are and where everything lies. Sourced by every script of this folder that runs by itself.
#
# Environment (set by the StatefulSet): POD_NAME, MYSQL_MEMBERS (the members' host names, in the order of the ordinals).

# shellcheck disable=SC2034  # the scripts that source this file use what is set here

readonly VOLUME=/data
# Below the volume, because a volume of its own file system has a lost+found that mysqld takes for a database.
readonly DATA_FOLDER=$VOLUME/mysql
readonly RUN_FOLDER=/run/mysql
readonly SECRETS_FOLDER=/secrets/mysql
readonly SOCKET=$RUN_FOLDER/mysqld.sock
readonly SERVER_OPTIONS=$RUN_FOLDER/server.cnf
readonly GROUP_PORT=33061
readonly ACCOUNTS=(root replication probe app)

OWN_ORDINAL=${POD_NAME##*-}
readonly OWN_ORDINAL
read -r -a MEMBERS <<<"$MYSQL_MEMBERS"
readonly MEMBERS
readonly OWN_HOST=${MEMBERS[OWN_ORDINAL]}

say() {
  printf '%(%FT%TZ)T %s: %s\n' -1 "${0##*/}" "$*" >&2
}

password_of() {
  cat "$SECRETS_FOLDER/$1-password"
}
