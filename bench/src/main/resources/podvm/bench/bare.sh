#!/bin/busybox sh
# Process 1 of the bare guest: the drivers that a pod's machine has, the pod's own disk as its root, no container.
PATH=/bin
for applet in mount insmod sleep ifconfig chroot poweroff mkdir; do busybox ln -s busybox "/bin/$applet"; done
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/null >/dev/console 2>&1
while read -r phase module parameters; do
  case $phase in
    channel | disk | net) insmod "$module" $parameters ;;
  esac
done </lib/podvm/modules.list
echo '0 0 0' >/sys/class/scsi_host/host0/scan
until [ -b /dev/sda ]; do sleep 0.1; done
mkdir /mnt
mount -t erofs -o ro /dev/sda /mnt
for tree in proc dev; do mount -o bind "/$tree" "/mnt/$tree"; done
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
chroot /mnt /bin/sh /inside.sh PORT
poweroff -f
