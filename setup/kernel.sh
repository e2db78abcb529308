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

fetch_kernel() {
  local image version draft=$CACHE/kernel/.draft.$$
  [[ -n $(kernel_image) ]] || update_private_lists
  image=$(kernel_image)
  if [[ -z $image ]]; then
    fail "no package of a guest kernel among $KERNEL_PACKAGES" "Run apt-get update, or add the distribution's main archive to apt's sources."
  fi
  version=$(package_field "$image" Version)
  detail "downloading $image $version (root not needed)"
  rm -rf "$draft"
  unpack_package "$image" "$draft"
  unpack_modules "$image" "$draft"
  echo "$image $version" >"$draft/package"
  publish_kernel "$draft" "${image}_${version//:/_}"
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
