# shellcheck shell=bash
# Finds Maven, or fetches it with another one. Needs JAVA_HOME.

MAVEN_MINIMUM=3.9.6
MAVEN_FETCHED=3.9.11

# Sets MVN; false where there is no Maven that can build PodVM.
find_maven() {
  local on_path fetched=$CACHE/maven/apache-maven-$MAVEN_FETCHED/bin/mvn
  on_path=$(command -v mvn || true)
  if [[ -n $on_path ]] && is_upstream "$on_path" && at_least "$MAVEN_MINIMUM" "$(maven_version "$on_path")"; then
    MVN=$on_path
  elif [[ -x $fetched ]]; then
    MVN=$fetched
  else
    return 1
  fi
}

# Distributions pair Maven with other versions of its libraries. Debian's 3.9.9 cannot load the plugin that compiles
# the wire contracts, so theirs only serves to fetch the real one.
is_upstream() { [[ $(readlink -f "$1") != /usr/share/maven/* ]]; }

# The version stands in the name of a jar; starting Maven to ask costs half a second.
maven_version() {
  local jar
  for jar in "$(dirname -- "$(readlink -f "$1")")"/../lib/maven-core-[0-9]*.jar; do
    [[ -e $jar ]] && jar=${jar##*/maven-core-} && echo "${jar%.jar}" && return
  done
  echo 0
}

# Maven's own libraries use doors that newer JDKs warn about; it is for Maven to fix.
export MAVEN_OPTS="${MAVEN_OPTS-} --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"

can_fetch_maven() { command -v mvn >/dev/null; }

# Any Maven can copy another one out of the repository it is configured with.
fetch_maven() {
  local draft=$CACHE/maven/.draft.$$
  mkdir -p "$draft"
  detail "fetching Maven $MAVEN_FETCHED with $(command -v mvn) (root not needed)"
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
