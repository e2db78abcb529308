# shellcheck shell=bash
# Fetches packages of the distribution into the cache without installing them, and without root.

# apt with lists and archives of our own: works for any user, also where the machine has no package lists.
private_apt() {
  local verb=$1
  shift
  mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/archives/partial"
  "$verb" -q -o Dir::State::Lists="$CACHE/apt/lists" -o Dir::Cache="$CACHE/apt" -o APT::Sandbox::User= \
    -o Debug::NoLocking=1 "$@"
}

update_private_lists() { watched package-lists private_apt apt-get update; }

# The candidate's field, such as Version or Depends; nothing where the package is unknown.
package_field() {
  private_apt apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n "s/^$2: //p" | head -n 1
}

# unpack_package NAME FOLDER: downloads and unpacks; installs nothing, runs no script of the package.
unpack_package() {
  local draft=$CACHE/apt/.draft.$$
  rm -rf "$draft"
  mkdir -p "$draft" "$2"
  (cd "$draft" && watched "download-${1%%[0-9]*}" private_apt apt-get download "$1")
  dpkg-deb -x "$draft"/*.deb "$2"
  rm -rf "$draft"
}
