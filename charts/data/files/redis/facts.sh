# shellcheck shell=bash
# What can be learned about the members: questions to Redis, to the undecided members' bulletins, and to Sentinels.
# Needs members.sh. The form of a member's facts is decide.sh's.

# member_facts <ordinal>
member_facts() {
  local address=${ADDRESSES[$1]}
  echo "$address,$(running_facts "$address" || bulletin_facts "$address" || echo unreachable)"
}

running_facts() {
  local role
  mapfile -t role < <(ask "$1" "$REDIS_PORT" role)
  case ${role[0]:-} in
    master) echo primary ;;
    slave) echo "replica,${role[1]}" ;;
    *) return 1 ;;
  esac
}

bulletin_facts() {
  local facts
  facts=$(ask "$1" "$BULLETIN_PORT" get member) && [[ -n $facts ]] && echo "$facts"
}

# named_primary <address of a Sentinel>...; prints the address that the Sentinel with the newest vote names.
# Answers that are no member's address any more are ghosts of Services that were made anew.
named_primary() {
  local sentinel address epoch best='' best_epoch=-1
  for sentinel in "$@"; do
    read -r address epoch < <(sentinel_answer "$sentinel") || continue
    if is_member "$address" && ((epoch > best_epoch)); then
      best=$address best_epoch=$epoch
    fi
  done
  [[ -n $best ]] && echo "$best"
}

sentinel_answer() {
  local key value address='' epoch=''
  while read -r key && read -r value; do
    case $key in
      ip) address=$value ;;
      config-epoch) epoch=$value ;;
    esac
  done < <(ask "$1" "$SENTINEL_PORT" sentinel master "$PRIMARY_NAME")
  [[ -n $address && -n $epoch ]] && echo "$address $epoch"
}

other_addresses() {
  local ordinal
  for ordinal in "${!ADDRESSES[@]}"; do
    [[ $ordinal == "$OWN_ORDINAL" ]] || echo "${ADDRESSES[ordinal]}"
  done
}
