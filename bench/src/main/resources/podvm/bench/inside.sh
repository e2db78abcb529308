# What is measured inside: the same in a pod's container and as a plain process. `sh /inside.sh PORT`; a line `inside NAME MS` each.
port=$1
box=/bin/busybox

# Hundredths of a second since the machine's start. Each figure takes long enough for that.
now() {
  read -r up _ </proc/uptime
  up=${up%.*}${up#*.}
  # a number that begins with 0 would be octal
  echo "${up#"${up%%[!0]*}"}"
}

measure() {
  name=$1
  shift
  from=$(now)
  "$@"
  echo "inside $name $((($(now) - from) * 10))"
}

spin() {
  i=0
  while [ "$i" -lt "$1" ]; do i=$((i + 1)); done
}

calls() { dd if=/dev/zero of=/dev/null bs=1 count="$1" 2>/dev/null; }

starts() {
  i=0
  while [ "$i" -lt "$1" ]; do
    $box true
    i=$((i + 1))
  done
}

reads() { cat "$@" >/dev/null; }

sends() { dd if=/dev/zero bs=65536 count="$1" 2>/dev/null | nc 10.0.2.2 "$port"; }

# code that runs for the first time is translated where there is no virtualization: not what is asked here
spin 5000
calls 5000
starts 20
reads /data/first
sends 16

measure cpu spin 60000
measure calls calls 100000
measure starts starts 60
measure reads reads /data/second /data/third
measure sends sends 128
