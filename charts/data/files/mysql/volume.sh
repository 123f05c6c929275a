# shellcheck shell=bash
# A new volume: system tables, the members' own accounts, and the table of volumes. None of it leaves a GTID, because
# nothing is written to the binary log while a volume is made, so the members' sets of transactions stay comparable.
# Needs settings.sh and sql.sh.

# A clone that is cut off has removed everything but the system's own tables, and this table with the rest. It was begun
# only because the group has all that this volume had.
volume_is_whole() {
  [[ -e $DATA_FOLDER/doorbuster_group/volume.ibd ]]
}

# Nothing is deleted that somebody may have put here: a person can look at it.
set_aside() {
  say "the volume isn't complete and is set aside as $DATA_FOLDER.$EPOCHSECONDS"
  mv "$DATA_FOLDER" "$DATA_FOLDER.$EPOCHSECONDS"
}

# Makes the volume in a folder beside its place: a kill in the middle leaves no half volume.
make_volume() {
  local fresh=$DATA_FOLDER.fresh accounts=$RUN_FOLDER/accounts.sql messages=()
  rm -rf "$fresh"
  mapfile -t messages < <(messages_option --)
  account_statements >"$accounts"
  mysqld --no-defaults --initialize-insecure --datadir="$fresh" --init-file="$accounts" --tmpdir=/tmp "${messages[@]}"
  rm "$accounts"
  sync --file-system "$fresh"
  mv "$fresh" "$DATA_FOLDER"
}

# Debian's server looks for its messages where Oracle's has them, and refuses to start without.
messages_option() {
  [[ ! -e /usr/share/mysql/english/errmsg.sys ]] || echo "${1:-}lc-messages-dir=/usr/share/mysql"
}

# CONNECTION_ADMIN: these two accounts must get an answer when a server is in offline mode or has no connection left.
# The table of volumes says which volume each ordinal brought into the group (see decide.sh).
account_statements() {
  cat <<SQL
ALTER USER root@localhost IDENTIFIED BY '$(password_of root)';
CREATE USER replication@'%' IDENTIFIED BY '$(password_of replication)';
GRANT REPLICATION SLAVE, CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO replication@'%';
CREATE USER probe@'%' IDENTIFIED BY '$(password_of probe)';
GRANT CONNECTION_ADMIN ON *.* TO probe@'%';
GRANT SELECT ON performance_schema.replication_group_members TO probe@'%';
GRANT SELECT ON performance_schema.replication_connection_status TO probe@'%';
CREATE DATABASE doorbuster_group;
CREATE TABLE doorbuster_group.volume (ordinal TINYINT UNSIGNED PRIMARY KEY, server_uuid CHAR(36) NOT NULL);
GRANT SELECT, INSERT, UPDATE ON doorbuster_group.volume TO replication@'%';
GRANT SELECT ON doorbuster_group.volume TO probe@'%';
SQL
}
