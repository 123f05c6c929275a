# shellcheck shell=bash
# How far this volume has come: a note of when it was last in service and of its replication offset, taken once a
# second. Redis forgets its offset when it starts from an append-only file, so nobody else can say it afterwards.

readonly DATA_DIRECTORY=/data
readonly PROGRESS_FILE=$DATA_DIRECTORY/progress

# Prints `<last in service, seconds since 1970>,<offset>`; 0,0 for a new volume. Data without a note (a restored
# backup) counts as older than any note and newer than nothing.
read_progress() {
  local seen offset
  if read -r seen offset 2>/dev/null <"$PROGRESS_FILE"; then
    echo "$((10#$seen)),$((10#$offset))"
  elif [[ -d $DATA_DIRECTORY/appendonlydir ]]; then
    echo 1,0
  else
    echo 0,0
  fi
}

# One process that asks every second for as long as this container lives (it is the loop's bound: it ends with it).
keep_progress() {
  while true; do
    redis-cli -p "$REDIS_PORT" -r -1 -i 1 info persistence replication 2>/dev/null || true
    sleep 1
  done | note_each_report
}

note_each_report() {
  local line role='' link='' good_replicas='' rewriting=''
  while read -r line; do
    line=${line%$'\r'}
    case $line in
      aof_rewrite_in_progress:*) rewriting=${line#*:} link='' good_replicas='' ;;
      role:*) role=${line#*:} ;;
      master_link_status:*) link=${line#*:} ;;
      min_slaves_good_slaves:*) good_replicas=${line#*:} ;;
      master_repl_offset:*) ! in_service || write_progress "${line#*:}" ;;
    esac
  done
}

# A primary that was cut off (no replica keeps up) and a replica without its primary aren't in service. After a full
# copy the data is safe on the volume only when the file has been rewritten.
in_service() {
  [[ $rewriting == 0 ]] || return 1
  if [[ $role == master ]]; then
    [[ $good_replicas != 0 ]]
  else
    [[ $link == up ]]
  fi
}

# The same length each time, in place and in one write: a kill leaves the old note or the new one.
write_progress() {
  printf '%012d %020d\n' "$EPOCHSECONDS" "$1" 1<>"$PROGRESS_FILE"
}
