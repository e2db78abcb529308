# shellcheck shell=bash
# The image that the examples use: the distribution's static busybox with a link for each of its commands.

EXAMPLE_IMAGE=localhost/busybox:stable

find_busybox() { [[ -f $CACHE/busybox/rootfs.tar && -x $CACHE/busybox/busybox ]]; }

# Makes $CACHE/busybox/busybox and $CACHE/busybox/rootfs.tar.
fetch_busybox() {
  local draft=$CACHE/busybox/.draft.$$
  rm -rf "$draft"
  with_fresh_lists unpack_package busybox-static "$draft/package" ||
    fail "no package busybox-static" "Add the distribution's main archive to apt's sources."
  # Its folder differs between releases: /bin, later /usr/bin.
  mv "$(find "$draft/package" -type f -name busybox -perm -u+x | head -n 1)" "$CACHE/busybox/busybox"
  make_busybox_tree "$draft/root"
  # Sorted, without owner and time: the same tree gives the same image everywhere.
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$draft/root" -cf "$draft/rootfs.tar" .
  mv "$draft/rootfs.tar" "$CACHE/busybox/rootfs.tar"
  rm -rf "$draft"
}

make_busybox_tree() {
  local applet
  mkdir -p "$1"/{bin,dev,etc,proc,root,sys,tmp,var}
  chmod 1777 "$1/tmp"
  cp "$CACHE/busybox/busybox" "$1/bin/busybox"
  for applet in $("$CACHE/busybox/busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$1/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
  echo 'root:x:0:' >"$1/etc/group"
}

import_example() {
  watched image-import "$HOME_DIR/bin/podvm" image import --name "$EXAMPLE_IMAGE" "$CACHE/busybox/rootfs.tar"
}
