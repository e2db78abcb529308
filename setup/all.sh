# shellcheck shell=bash
# Brings in all parts of set-up, in the order in which they build on each other.

HERE=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source=setup/place.sh
. "$HERE/place.sh"
# shellcheck source=setup/say.sh
. "$HERE/say.sh"
# shellcheck source=setup/java.sh
. "$HERE/java.sh"
# shellcheck source=setup/maven.sh
. "$HERE/maven.sh"
# shellcheck source=setup/packages.sh
. "$HERE/packages.sh"
# shellcheck source=setup/rust.sh
. "$HERE/rust.sh"
# shellcheck source=setup/download.sh
. "$HERE/download.sh"
# shellcheck source=setup/kernel.sh
. "$HERE/kernel.sh"
# shellcheck source=setup/guest.sh
. "$HERE/guest.sh"
# shellcheck source=setup/daemon.sh
. "$HERE/daemon.sh"
# shellcheck source=setup/example.sh
. "$HERE/example.sh"
