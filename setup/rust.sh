# shellcheck shell=bash
# Finds Rust for the guest's programs.

RUST_MINIMUM=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$ROOT/guest/Cargo.toml")

# Sets CARGO (and RUSTUP_TOOLCHAIN where rustup has a toolchain that is not its default); false where Rust is
# missing or too old.
find_rust() {
  local candidate
  for candidate in "$(command -v cargo || true)" "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin/cargo"; do
    [[ -x $candidate ]] || continue
    CARGO=$candidate
    rust_is_new_enough && return
    # A rustup without a default toolchain answers only when told which one; it must be there, because some
    # versions of rustup would fetch it without a word.
    if has_toolchain; then
      export RUSTUP_TOOLCHAIN=$RUST_MINIMUM
      return
    fi
  done
  return 1
}

has_toolchain() { find_rustup && "$RUSTUP" toolchain list 2>/dev/null | grep -q "^$RUST_MINIMUM-"; }

rust_is_new_enough() {
  local version
  version=$(RUSTUP_AUTO_INSTALL=0 "$CARGO" --version 2>/dev/null) || return 1
  version=${version#cargo }
  at_least "$RUST_MINIMUM" "${version%% *}"
}

find_rustup() {
  RUSTUP=$(command -v rustup || true)
  [[ -n $RUSTUP ]] || RUSTUP=${CARGO_HOME:-${HOME:-/root}/.cargo}/bin/rustup
  [[ -x $RUSTUP ]]
}

# The packages that bring Rust: the distribution's own where it is new enough, else the one of rustup.
rust_packages() {
  local version
  version=$(candidate_version rustc)
  if [[ -n $version ]] && at_least "$RUST_MINIMUM" "$version"; then printf '%s\n' cargo rustc; else echo rustup; fi
}

install_toolchain() {
  detail "Rust $RUST_MINIMUM with rustup (root not needed)"
  watched rustup "$RUSTUP" toolchain install --profile minimal "$RUST_MINIMUM"
}

# The target is named so that flags for static linking reach only the guest's programs and not the build's own.
rust_target() { "${CARGO%cargo}rustc" -vV | sed -n 's/^host: //p'; }

# cargo_guest VERB WORDS...: runs cargo in the guest's workspace.
cargo_guest() {
  local verb=$1
  shift
  (cd "$ROOT/guest" && "$CARGO" "$verb" --target "$(rust_target)" "$@")
}
