# shellcheck shell=bash
# The start decision of one MySQL member: a pure function of what is known about all of them.
# Every member evaluates it alike. It starts nothing, asks nobody and reads no clock.
#
#   decide <own ordinal> <member>...
#
# One word a member, in the order of the ordinals. <has> lists the ordinals whose transactions, executed or received,
# this member has too; every member has its own.
#   unreachable
#   busy                       in a group but not (or no longer) fit to serve, or still applying what it received
#   online,<has>               serves in a group that has its majority
#   outside,<has>,<replaced>   in no group. <replaced> lists the ordinals that once brought another volume into the
#                              group than the one that answers there now, joined by `+`; `-` for none
#
# Prints one line: `bootstrap` | `join` | `wait <why>` | `refuse <why>` | `quarantine <why>`.
#
# A first start is no special case: new volumes have no transactions and have brought nothing into a group, so each has
# all that the others have, and the lowest ordinal starts the group.
#
# Why nobody bootstraps twice: without an answer of all there is no bootstrap, with it only one ordinal can be the one,
# and what a member has changes only inside a group.

decide() {
  local own=$1
  shift
  local -a members=("$@")
  decide_beside_group || wait_for_busy || refuse_without_all || decide_by_transactions
}

# Where a group serves, nobody starts another. Whoever has transactions that the group lacks stays away with them:
# merging them would show what was never agreed on, copying over them would destroy the only copy.
decide_beside_group() {
  local member groups=0
  for member in "${members[@]}"; do
    [[ $member == online,* ]] || continue
    groups=1
    if [[ ${members[own]} == outside,* && ${member#*,} == *"$own"* ]]; then
      echo join
      return 0
    fi
  done
  ((groups)) || return 1
  if [[ ${members[own]} == outside,* ]]; then
    echo "quarantine this member has transactions that the group doesn't have"
  else
    echo "wait this member is in a group"
  fi
}

# A busy member may bring back the group that it was in.
wait_for_busy() {
  local busy
  ordinals_in_state busy busy
  [[ -n $busy ]] || return 1
  echo "wait ordinal $busy can't be compared yet"
}

# What the others have acknowledged may be only on the volume that is missing.
refuse_without_all() {
  local missing
  ordinals_in_state unreachable missing
  [[ -n $missing ]] || return 1
  echo "refuse ordinal $missing doesn't answer, and its volume may be the newest"
}

decide_by_transactions() {
  local ordinal contained replaced
  for ordinal in "${!members[@]}"; do
    IFS=, read -r _ contained replaced <<<"${members[ordinal]}"
    has_all "$contained" || continue
    if [[ $replaced != - ]]; then
      echo "refuse the volume of ordinal $replaced isn't the one that was in the group, which may have been the newest"
    elif [[ $ordinal == "$own" ]]; then
      echo bootstrap
    else
      echo "wait ordinal $ordinal has all transactions and should start the group"
    fi
    return 0
  done
  echo "refuse the members' transactions diverge, none has those of all others"
}

has_all() {
  local ordinal
  for ordinal in "${!members[@]}"; do
    [[ $1 == *"$ordinal"* ]] || return 1
  done
}

# ordinals_in_state <state> <variable that receives them, joined by `+`>
ordinals_in_state() {
  local ordinal
  local -n found=$2
  found=''
  for ordinal in "${!members[@]}"; do
    [[ ${members[ordinal]} != "$1" ]] || found+="${found:++}$ordinal"
  done
}
