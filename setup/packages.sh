# shellcheck shell=bash
# The distribution's packages: which are missing, and installing them in one go.

# For what · what to look for (a command, or a path) · package · why
prerequisites() {
  cat <<LIST
run  $QEMU $QEMU_PACKAGE boots the machines
run  cc gcc links the guest's programs
run  /usr/lib/*/libc.a libc6-dev links the guest's programs statically
run  ip iproute2 connects pods to a cluster's networks
test iptables iptables forwards the ports of a host to pods
test wget wget asks pods from the host
test setfacl acl makes files with access lists
test docker-registry docker-registry the registry that image tests pull from
test skopeo skopeo writes and copies images as others do
test buildah buildah builds images as others do
test umoci umoci writes and unpacks images as others do
test e2fsck e2fsprogs checks the scratch disks that PodVM writes
test veritysetup cryptsetup-bin checks the hash trees that PodVM writes
test setfattr attr makes files with extended attributes
test mmdebstrap mmdebstrap makes a whole Debian to compare layers with
test fsck.erofs erofs-utils checks the layer disks that PodVM writes
LIST
}

# missing_packages PURPOSE...: the packages that are not there, one a line.
missing_packages() {
  local purpose look package
  while read -r purpose look package _; do
    if [[ " $* " == *" $purpose "* ]] && ! is_there "$look"; then echo "$package"; fi
  done < <(prerequisites) | sort -u
}

is_there() {
  if [[ $1 == /* ]]; then compgen -G "$1" >/dev/null; else have "$1"; fi
}

have_apt() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# The version that apt would install; nothing where it knows none.
candidate_version() {
  apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9:]*:\)\?//p' | grep -v '(none)' || true
}

may_be_root() { ((EUID == 0)) || sudo -n true 2>/dev/null; }

as_root() { if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi; }

# install_packages PACKAGE...: needs root, and says so.
install_packages() {
  local unknown
  unknown=$(unknown_packages "$@")
  if [[ -n $unknown ]]; then
    fail "this release of the distribution has no package $unknown" \
      "Use Debian 13 or Ubuntu 24.04 or newer, or install by hand:" \
      "a JDK of version $JAVA_MINIMUM under /usr/lib/jvm or in JAVA_HOME; a cargo of version $RUST_MINIMUM, or rustup, on the PATH."
  fi
  detail "installing $* (as root, with apt-get)"
  watched apt-install as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

# Lists that are missing or old name packages that the mirror no longer has. Without root they stay as they are.
refresh_lists() {
  if have_apt && may_be_root && [[ -z $(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -7 -print -quit) ]]; then
    detail "package lists (as root, with apt-get update)"
    watched apt-update as_root apt-get update
  fi
}

unknown_packages() {
  local package unknown=()
  for package in "$@"; do
    [[ -n $(candidate_version "$package") ]] || unknown+=("$package")
  done
  echo "${unknown[*]}"
}
