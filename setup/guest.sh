# shellcheck shell=bash
# Builds what runs inside the machines, and packs it with the kernel.

build_guest_programs() {
  watched cargo cargo_guest build --release -p podvm-agent -p podvm-guest-image
}

# Makes $CACHE/guest/<key> and points `current` at it; where the inputs are the same it only looks.
pack_guest() {
  local programs
  programs=$ROOT/guest/target/$(rust_target)/release
  mkdir -p "$CACHE/guest"
  "$programs/podvm-guest-image" "$KERNEL" "$KERNEL_PACKAGE" "$programs/podvm-agent" "$programs/podvm-bare-init" \
    "$CACHE/guest" >/dev/null
}
