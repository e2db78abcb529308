# shellcheck shell=bash
# How set-up speaks: one line per step on standard error, so that standard output stays the pod's own.

STEP=0
STEPS=0

# Colours only where a person looks.
if [[ -t 2 && -z ${NO_COLOR-} && ${TERM-dumb} != dumb ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' DIM=$'\e[2m' PLAIN=$'\e[0m' ERASE=$'\r\e[K'
else
  BOLD='' RED='' DIM='' PLAIN='' ERASE=''
fi

say() { printf '%s\n' "$*" >&2; }

# step NAME TEXT: a numbered line. Only a step that begins something new counts on.
step() {
  STEP=$((STEP + 1))
  say "${BOLD}[$STEP/$STEPS] $1:${PLAIN} $2"
}

detail() { say "      $*"; }

# fail WHAT NEXT...: ends with what failed and what to do about it.
fail() {
  say "${RED}podvm set-up: $1${PLAIN}"
  shift
  local line
  for line in "$@"; do say "  $line"; done
  exit 1
}

# watched LOG COMMAND...: runs a command that takes long. A terminal shows the seconds and the newest line of
# its output; anything else gets one line at the end. The whole output stays in the cache, and its end is
# shown when the command fails.
watched() {
  attempt "$@" && return
  tail -n 25 "$CACHE/log/$1.log" >&2
  fail "'${*:2}' failed" "Its whole output is in $CACHE/log/$1.log." \
    "Run the same command again once the cause is gone; what is done is kept."
}

# The same, for a command whose failure is not the end.
attempt() {
  local log=$CACHE/log/$1.log began=$SECONDS pid status=0
  shift
  mkdir -p "$CACHE/log"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  # An interrupted set-up must not leave its longest step running.
  trap 'kill "$pid" 2>/dev/null || true; exit 130' INT TERM
  [[ -n $ERASE ]] && show_progress "$pid" "$log" "$began"
  wait "$pid" || status=$?
  trap - INT TERM
  if ((status == 0)); then detail "${DIM}done in $((SECONDS - began)) s${PLAIN}"; fi
  return "$status"
}

show_progress() {
  local pid=$1 log=$2 began=$3 line
  while kill -0 "$pid" 2>/dev/null; do
    line=$(tail -n 1 "$log" | tr -cd '[:print:]')
    printf '%s      %s%4d s  %.60s%s' "$ERASE" "$DIM" $((SECONDS - began)) "$line" "$PLAIN" >&2
    sleep 0.3
  done
  printf '%s' "$ERASE" >&2
}
