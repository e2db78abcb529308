# shellcheck shell=bash
# Builds the daemon and the command, and makes them start fast.

build_daemon() {
  # How a source is formatted must not keep anybody from running it; `verify` looks at that.
  watched maven-package maven -q -DskipTests -Dspotless.check.skip=true package
  install_launchers
  train_daemon
}

# In folders of its own, so that no daemon that already serves is in the way. Where the daemon has no training of
# its own behind PODVM_AOT_TRAIN, starting and being told to end must do.
train_daemon() {
  local folder
  folder=$(mktemp -d)
  PODVM_AOT_TRAIN=1 PODVM_STATE=$folder/state PODVM_RUN=$folder/run train podvmd podvmd
  rm -rf "$folder"
}

# The command's start is what a person waits for, so it trains on a real call; a daemon must run for that.
train_command() { train cli podvm ps; }

maven() { (cd "$ROOT" && "$MVN" -B -ntp "$@"); }

install_launchers() {
  mkdir -p "$HOME_DIR/bin"
  cp "$ROOT/setup/launchers/podvm" "$ROOT/setup/launchers/podvmd" "$HOME_DIR/bin/"
  echo "$JAVA_HOME/bin/java" >"$HOME_DIR/java"
}

# train NAME PROGRAM WORDS...: a short run that records which classes a start loads (an AOT cache). It only
# makes later starts faster, so a run that brings none is told and forgotten.
train() {
  local cache=$HOME_DIR/$1.aot log=$CACHE/log/train-$1.log
  shift
  rm -f "$cache"
  # Java writes the cache when it ends, also when it is told to end.
  PODVM_AOT_OUTPUT=$cache timeout 20 "$HOME_DIR/bin/$1" "${@:2}" >"$log" 2>&1 </dev/null || true
  [[ -s $cache ]] || detail "no start-up cache for $1, so it starts slower; $log tells why"
}
