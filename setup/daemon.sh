# shellcheck shell=bash
# Builds the daemon and the command, and makes them start fast.

build_daemon() {
  # How a source is formatted must not keep anybody from running it; `verify` looks at that.
  watched maven-package maven -q -DskipTests -Dspotless.check.skip=true package
  install_launchers
  train_daemon
}

# The daemon trains on a pod's whole life, the command on what people type most. Both in folders of their own, so that
# no daemon that already serves is in the way, and nothing of it stays.
train_daemon() {
  local folder
  folder=$(mktemp -d -t podvm-XXXXXX)
  rm -f "$HOME_DIR"/*.aot
  (
    export PODVM_STATE=$folder/state PODVM_RUN=$folder/run
    attempt train-podvmd train_on_a_pod "$folder"
  ) || true
  rm -rf "$folder"
  local program
  for program in podvmd cli; do
    [[ -s $HOME_DIR/$program.aot ]] ||
      detail "no start-up cache for $program, so it starts slower; $CACHE/log/train-podvmd.log tells why"
  done
}

# Java writes a cache when its program ends, also when it is told to end.
train_on_a_pod() {
  local daemon podvm=$HOME_DIR/bin/podvm
  PODVM_AOT_OUTPUT=$HOME_DIR/podvmd.aot timeout 120 "$HOME_DIR/bin/podvmd" &
  daemon=$!
  for _ in {1..300}; do
    [[ ! -S $1/run/node.sock ]] || break
    sleep 0.1
  done
  timeout 30 "$podvm" image import --name "$EXAMPLE_IMAGE" "$CACHE/busybox/rootfs.tar"
  timeout 60 "$podvm" run "$ROOT/examples/hello.yaml" || true
  PODVM_AOT_OUTPUT=$HOME_DIR/cli.aot timeout 30 "$podvm" ps
  kill "$daemon"
  wait "$daemon" || true
}

maven() { (cd "$ROOT" && "$MVN" -B -ntp "$@"); }

install_launchers() {
  mkdir -p "$HOME_DIR/bin"
  cp "$ROOT/setup/launchers/podvm" "$ROOT/setup/launchers/podvmd" "$HOME_DIR/bin/"
  echo "$JAVA_HOME/bin/java" >"$HOME_DIR/java"
}
