# shellcheck shell=bash
# The start decision of one Redis instance: a pure function of what is known about all of them.
# Every member evaluates it alike. It starts nothing, asks nobody and reads no clock.
#
#   decide <own ordinal> <patient|impatient> <address that the Sentinels name, or -> <member>...
#
# One word a member, in the order of the ordinals:
#   <address>,unreachable
#   <address>,undecided,<last in service>,<offset>   not started; its volume's note (0,0 = a new volume)
#   <address>,claiming,<last in service>,<offset>    the same, and about to start as the primary
#   <address>,primary
#   <address>,replica,<address of its primary>
#
# Prints one line: `primary <address>` | `replica of <address>` | `wait <why>`.
#
# Why in this order: Sentinels have voted, so they outrank every copy of the data. A running primary or a claim is
# newer than any note on a volume. Only when nobody knows are the volumes compared, and then all of those in reach.

# Notes are taken once a second, on clocks that may differ a little. Members that stopped together lie within this.
readonly SAME_MOMENT_SECONDS=5

decide() {
  local own=$1 patience=$2 named=$3
  shift 3
  local -a members=("$@")
  local own_address=${members[own]%%,*}
  named_by_sentinels || follow_running_primary || yield_to_claim || join_followed_primary || start_freshest
}

# Empty volumes never serve by name: replicas would copy the emptiness. The Sentinels name another one soon,
# because an undecided instance doesn't answer on Redis' port.
named_by_sentinels() {
  [[ $named != - ]] || return 1
  if [[ $named != "$own_address" ]]; then
    echo "replica of $named"
  elif own_volume_has_data; then
    echo "primary $own_address"
  elif [[ $patience == patient ]]; then
    echo "wait the Sentinels name this instance, whose volume is new, and should fail over"
  else
    return 1
  fi
}

follow_running_primary() {
  local member
  for member in "${members[@]}"; do
    [[ $member == *,primary ]] || continue
    echo "replica of ${member%%,*}"
    return 0
  done
  return 1
}

# Whoever sees a claim gives way, also from a claim of its own: two that claim at once both step back and look again.
yield_to_claim() {
  local ordinal
  for ordinal in "${!members[@]}"; do
    [[ $ordinal != "$own" && ${members[ordinal]} == *,claiming,* ]] || continue
    echo "wait ordinal $ordinal is about to start as the primary"
    return 0
  done
  return 1
}

# A running replica knows whom it follows. Following the same one, even a dead one, brings this member's Sentinel up,
# and with it the majority that fails over.
join_followed_primary() {
  local member followed
  for member in "${members[@]}"; do
    [[ $member == *,replica,* ]] || continue
    followed=${member##*,}
    if [[ $followed != "$own_address" ]]; then
      echo "replica of $followed"
    elif own_volume_has_data || [[ $patience == impatient ]]; then
      echo "primary $own_address"
    else
      echo "wait a replica follows this instance, whose volume is new"
    fi
    return 0
  done
  return 1
}

# Redis isn't the truth, so it doesn't stay away for a member that may never return; MySQL corrects the rest.
start_freshest() {
  local missing freshest
  missing=$(unreachable_ordinals)
  if [[ -n $missing && $patience == patient ]]; then
    echo "wait ordinal $missing isn't in reach"
    return 0
  fi
  freshest=$(freshest_ordinal)
  if [[ $freshest == "$own" ]]; then
    echo "primary $own_address"
  else
    echo "wait ordinal $freshest has the freshest volume and should start"
  fi
}

own_volume_has_data() {
  local seen
  IFS=, read -r _ _ seen _ <<<"${members[own]}"
  ((seen > 0))
}

unreachable_ordinals() {
  local ordinal found=()
  for ordinal in "${!members[@]}"; do
    [[ ${members[ordinal]} != *,unreachable ]] || found+=("$ordinal")
  done
  echo "${found[*]}"
}

# Of those in service at the same last moment, the highest offset; then the lowest ordinal. Time comes first because
# offsets of different histories (a primary that was cut off, a total restart) can't be compared.
freshest_ordinal() {
  local ordinal seen offset newest best=-1 best_offset=-1
  newest=$(newest_moment)
  for ordinal in "${!members[@]}"; do
    [[ ${members[ordinal]} != *,unreachable ]] || continue
    IFS=, read -r _ _ seen offset <<<"${members[ordinal]}"
    if ((seen >= newest - SAME_MOMENT_SECONDS && offset > best_offset)); then
      best=$ordinal best_offset=$offset
    fi
  done
  echo "$best"
}

newest_moment() {
  local member seen newest=0
  for member in "${members[@]}"; do
    [[ $member != *,unreachable ]] || continue
    IFS=, read -r _ _ seen _ <<<"$member"
    ((seen <= newest)) || newest=$seen
  done
  echo "$newest"
}
