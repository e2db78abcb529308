# shellcheck shell=bash
# Where things are. Every script of set-up sources this first.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${PODVM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/podvm}
HOME_DIR=$ROOT/daemon/target/podvm
export PODVM_CACHE=$CACHE
# What the tests boot.
export PODVM_GUEST=${PODVM_GUEST-$CACHE/guest/current}

# Debian's names of the machine types.
case $(uname -m) in
  x86_64) ARCH=amd64 QEMU=qemu-system-x86_64 QEMU_PACKAGE=qemu-system-x86 ;;
  aarch64) ARCH=arm64 QEMU=qemu-system-aarch64 QEMU_PACKAGE=qemu-system-arm ;;
  *)
    echo "podvm set-up: no support for $(uname -m); use an x86_64 or aarch64 machine" >&2
    exit 1
    ;;
esac

# at_least MINIMUM VERSION
at_least() {
  [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

# The sbin folders hold some of the tools and are not on every user's path.
have() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null; }
