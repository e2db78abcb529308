# shellcheck shell=bash
# Finds Maven, or fetches it with an older Maven. Needs JAVA_HOME.

MAVEN_MINIMUM=3.9.6
MAVEN_FETCHED=3.9.11

# Sets MVN; false where there is no Maven that can build PodVM.
find_maven() {
  local candidate
  for candidate in "$(command -v mvn || true)" "$CACHE/maven/apache-maven-$MAVEN_FETCHED/bin/mvn"; do
    if [[ -x $candidate ]] && at_least "$MAVEN_MINIMUM" "$(maven_version "$candidate")"; then
      MVN=$candidate
      return
    fi
  done
  return 1
}

# The version stands in the name of a jar, or dpkg knows it; starting Maven to ask costs half a second.
maven_version() {
  local home jar
  home=$(dirname -- "$(dirname -- "$(readlink -f "$1")")")
  for jar in "$home"/lib/maven-core-[0-9].[0-9]*.jar; do
    [[ -e $jar ]] && jar=${jar##*/maven-core-} && echo "${jar%.jar}" && return
  done
  if [[ $home == /usr/share/maven ]] && dpkg-query -W -f '${Version}\n' maven 2>/dev/null; then return; fi
  "$1" -v 2>/dev/null | sed -n 's/^.*Apache Maven \([0-9.]*\).*/\1/p'
}

# Maven's own libraries use doors that newer JDKs warn about; it is for Maven to fix.
export MAVEN_OPTS="${MAVEN_OPTS-} --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"

can_fetch_maven() { command -v mvn >/dev/null; }

# Any Maven can copy another one out of the repository it is configured with.
fetch_maven() {
  local draft=$CACHE/maven/.draft.$$
  mkdir -p "$draft"
  detail "Maven $MAVEN_FETCHED, because $(command -v mvn) is $(maven_version "$(command -v mvn)") (root not needed)"
  watched maven mvn -B -ntp org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="org.apache.maven:apache-maven:$MAVEN_FETCHED:zip:bin" -DoutputDirectory="$draft" \
    -Dmdep.useBaseVersion=true
  # The JDK's jar unpacks zip files; `unzip` is not on every machine. It drops the executable bits.
  (cd "$draft" && "$JAVA_HOME/bin/jar" xf ./*.zip)
  chmod +x "$draft/apache-maven-$MAVEN_FETCHED/bin/mvn"
  rm -rf "$CACHE/maven/apache-maven-$MAVEN_FETCHED"
  mv "$draft/apache-maven-$MAVEN_FETCHED" "$CACHE/maven/"
  rm -rf "$draft"
}
