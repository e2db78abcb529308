# shellcheck shell=bash
# Builds the daemon and the command, and makes them start fast.

build_daemon() {
  watched maven-package maven -q -DskipTests package
  install_launchers
  train cli podvm --help
  train podvmd podvmd
}

maven() { (cd "$ROOT" && "$MVN" -B -ntp "$@"); }

install_launchers() {
  mkdir -p "$HOME_DIR/bin"
  cp "$ROOT/setup/launchers/podvm" "$ROOT/setup/launchers/podvmd" "$HOME_DIR/bin/"
  echo "$JAVA_HOME/bin/java" >"$HOME_DIR/java"
}

# train NAME PROGRAM WORDS...: a short run that records which classes a start loads (an AOT cache). It only
# makes later starts faster, so a run that fails is told and forgotten.
train() {
  local name=$1 program=$2 cache=$HOME_DIR/$1.aot
  shift 2
  rm -f "$cache"
  if ! PODVM_AOT_TRAIN=1 PODVM_AOT_OUTPUT=$cache timeout 120 "$HOME_DIR/bin/$program" "$@" >"$CACHE/log/train-$name.log" 2>&1 </dev/null; then
    detail "no start-up cache for $program (it will start slower); see $CACHE/log/train-$name.log"
    rm -f "$cache"
  fi
}
