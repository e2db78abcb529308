# shellcheck shell=bash
# The guest's kernel: the distribution's own cloud kernel, unpacked into the cache.

# Debian's name first, then Ubuntu's two.
KERNEL_PACKAGES="linux-image-cloud-$ARCH linux-image-virtual linux-image-kvm"

# Sets KERNEL to the folder of the kernel in the cache and KERNEL_PACKAGE to its name and version; false where
# there is none yet.
find_kernel() {
  [[ -f $CACHE/kernel/current/package ]] || return 1
  KERNEL=$(readlink -f "$CACHE/kernel/current")
  KERNEL_PACKAGE=$(<"$KERNEL/package")
}

# Does the machine's own package list name a newer kernel? The guest's security updates come this way.
newer_kernel() {
  local image
  image=$(kernel_image)
  [[ -n $image ]] && dpkg --compare-versions "$(package_field "$image" Version)" gt "${KERNEL_PACKAGE#* }"
}

fetch_kernel() {
  local draft=$CACHE/kernel/.draft
  with_fresh_lists unpack_kernel "$draft" ||
    fail "no package of a guest kernel among $KERNEL_PACKAGES" "Add the distribution's main archive to apt's sources."
  publish_kernel "$draft" "$(tr ' :' '__' <"$draft/package")"
}

unpack_kernel() {
  local image
  image=$(kernel_image)
  [[ -n $image ]] || return
  rm -rf "$1"
  unpack_package "$image" "$1" && unpack_modules "$image" "$1" &&
    echo "$image $(package_field "$image" Version)" >"$1/package"
}

# The package that the distribution's newest kernel depends on.
kernel_image() {
  local name
  for name in $KERNEL_PACKAGES; do
    package_field "$name" Depends | grep -o 'linux-image-[0-9][^ ,]*' | head -n 1 && return
  done
  return 0
}

# Ubuntu has the modules in a package of their own.
unpack_modules() {
  local modules
  modules=$(package_field "$1" Depends | grep -o 'linux-modules-[0-9][^ ,]*' | head -n 1 || true)
  [[ -z $modules ]] || unpack_package "$modules" "$2"
}

publish_kernel() {
  rm -rf "${CACHE:?}/kernel/$2"
  mv "$1" "$CACHE/kernel/$2"
  ln -sfn "$2" "$CACHE/kernel/.draft.current"
  mv -T "$CACHE/kernel/.draft.current" "$CACHE/kernel/current"
  find_kernel
}
