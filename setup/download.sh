# shellcheck shell=bash
# Fetches packages of the distribution into the cache without installing them, and without root.

# The machine's own package lists, until they prove to be missing or too old.
LISTS=/var/lib/apt/lists

# apt with a cache of our own, so that any user may download.
private_apt() {
  local verb=$1
  shift
  mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/archives/partial"
  "$verb" -q -o Dir::State::Lists="$LISTS" -o Dir::Cache="$CACHE/apt" \
    -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin -o APT::Sandbox::User= \
    -o Debug::NoLocking=1 "$@"
}

# Lists of our own, which need no root.
update_private_lists() {
  LISTS=$CACHE/apt/lists
  detail "package lists (root not needed)"
  watched package-lists private_apt apt-get update
}

# The candidate's field, such as Version or Depends; nothing where the package is unknown.
package_field() {
  private_apt apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n "s/^$2: //p" | head -n 1
}

# unpack_package NAME FOLDER: downloads and unpacks; installs nothing, runs no script of the package. False where
# the lists do not know the package, or know it but the mirror has a newer one by now.
unpack_package() {
  local draft=$CACHE/apt/.draft.$$ version
  version=$(package_field "$1" Version)
  [[ -n $version ]] || return
  detail "downloading $1 $version (root not needed)"
  rm -rf "$draft"
  mkdir -p "$draft" "$2"
  (cd "$draft" && attempt "download-$1" private_apt apt-get download "$1") || return
  dpkg-deb -x "$draft"/*.deb "$2" && rm -rf "$draft"
}

# with_fresh_lists COMMAND...: tries with the machine's lists, then with lists of our own.
with_fresh_lists() {
  "$@" || { [[ $LISTS != "$CACHE"* ]] && update_private_lists && "$@"; }
}
