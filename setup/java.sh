# shellcheck shell=bash
# Finds the JDK. The `java` on the path may be an older one, so each candidate is asked for its version.

JAVA_MINIMUM=25
JAVA_PACKAGE=openjdk-25-jdk-headless

# Sets JAVA_HOME to a JDK that is new enough; false where there is none.
find_java() {
  local home on_path
  on_path=$(readlink -f "$(command -v javac || true)" || true)
  for home in "${JAVA_HOME-}" "${on_path%/bin/javac}" /usr/lib/jvm/*; do
    if [[ -n $home && -x $home/bin/javac ]] && at_least "$JAVA_MINIMUM" "$(java_version "$home")"; then
      export JAVA_HOME=$home
      return
    fi
  done
  return 1
}

# Every JDK says its version in a file; reading it is a hundred times faster than starting Java.
java_version() {
  local line
  while IFS= read -r line; do
    [[ $line == JAVA_VERSION=* ]] && line=${line#*=\"} && echo "${line%\"}" && return
  done 2>/dev/null <"$1/release"
  echo 0
}
