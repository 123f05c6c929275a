# shellcheck shell=bash
# How a server is asked: one function an account, one statement text on standard input or behind `--execute`.
# Needs settings.sh.

# An answer inside a cluster takes milliseconds. Longer than a pause of a busy machine, shorter than a person's patience.
readonly ANSWER_SECONDS=4

# The longest password that replication accepts.
readonly PASSWORD_LENGTH=32
# What needs quoting in none of SQL, option files and shells.
readonly PASSWORD_PATTERN='^[A-Za-z0-9._~+/=@%^-]+$'

check_passwords() {
  local account password
  for account in "${ACCOUNTS[@]}"; do
    password=$(password_of "$account")
    if ((${#password} > PASSWORD_LENGTH)) || [[ ! $password =~ $PASSWORD_PATTERN ]]; then
      say "the Secret's $account-password needs 1 to $PASSWORD_LENGTH characters of letters, digits and . _ ~ + / = @ % ^ -"
      return 1
    fi
  done
}

# Passwords go to the clients in files, so that they're in no list of processes.
write_client_options() {
  local account
  for account in "${ACCOUNTS[@]}"; do
    printf '[client]\nuser=%s\npassword="%s"\n' "$account" "$(password_of "$account")" >"$RUN_FOLDER/$account.cnf"
  done
}

# as <account> <option>...
as() {
  local account=$1
  shift
  mysql --defaults-file="$RUN_FOLDER/$account.cnf" --batch --raw --skip-column-names "$@"
}

as_root_here() {
  as root --socket="$SOCKET" "$@"
}

as_probe_here() {
  timeout "$ANSWER_SECONDS" mysql --defaults-file="$RUN_FOLDER/probe.cnf" --socket="$SOCKET" \
    --batch --raw --skip-column-names "$@"
}

# there <account> <host> <option>...
there() {
  local account=$1 host=$2
  shift 2
  timeout "$ANSWER_SECONDS" mysql --defaults-file="$RUN_FOLDER/$account.cnf" --host="$host" --port=3306 \
    --connect-timeout="$ANSWER_SECONDS" --batch --raw --skip-column-names "$@"
}
