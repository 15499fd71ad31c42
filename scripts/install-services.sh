#!/bin/sh
# install-services.sh [redis] [java] [jar] [python] [psql]: installs the given parts of a native Redis and
# QuestDB, and programs that tests and the bench need.
# JAR_DIR is the folder for the QuestDB jar. Prints one line for every step that takes time.
set -eu

questdb_version=9.3.4
questdb_sha256=939bc53ab22f93dbaa6545143a6e7c536d4904c07b7f2d381e8eef10436be062
copy_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy
jar_name="questdb-$questdb_version.jar"

say() { echo "$*"; }
fail() {
  echo "$*" >&2
  exit 1
}

# apt_install PACKAGE...: as root, or with sudo if that asks for no password.
apt_install() {
  manual="apt-get update && apt-get install -y --no-install-recommends $*"
  command -v apt-get >/dev/null 2>&1 ||
    fail "missing: $*. There is no apt-get: install these or your system's equivalents (Redis 7+, Java 17+, Maven), then run the same command again."
  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
  else
    fail "missing: $*. cdvault does not run as root, and sudo asks for a password. Run this, then the same command again: sudo sh -c '$manual'"
  fi
  say "installing $* (apt-get; about a minute, once)"
  # A mirror of another list may fail without harm: if packages are missing, the installation reports it.
  $as_root apt-get update -qq || say "apt-get update had errors; trying to install anyway"
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt-get could not install: $*"
  }
}

sha256_of() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

is_pinned_jar() { [ -f "$1" ] && [ "$(sha256_of "$1")" = "$questdb_sha256" ]; }

local_repository=${MAVEN_REPOSITORY:-${HOME:-/root}/.m2/repository}
cached="$local_repository/org/questdb/questdb/$questdb_version/$jar_name"

install_jar() {
  mkdir -p "$JAR_DIR"
  is_pinned_jar "$JAR_DIR/$jar_name" && return
  # Moved to its final name when complete, since other processes look for that name.
  part="$JAR_DIR/.part.$$"
  mkdir -p "$part"
  if is_pinned_jar "$cached"; then
    cp "$cached" "$part/$jar_name"
  else
    say "fetching QuestDB $questdb_version from Maven (29 MB, once)"
    # A Maven mirror may refuse the first requests, so try twice.
    mvn -q -B -Dstyle.color=never "$copy_plugin" "-Dartifact=org.questdb:questdb:$questdb_version" "-DoutputDirectory=$part" </dev/null ||
      mvn -q -B -Dstyle.color=never "$copy_plugin" "-Dartifact=org.questdb:questdb:$questdb_version" "-DoutputDirectory=$part" </dev/null ||
      fail "Maven could not fetch org.questdb:questdb:$questdb_version (see above)"
  fi
  is_pinned_jar "$part/$jar_name" ||
    fail "the QuestDB jar from Maven has SHA-256 $(sha256_of "$part/$jar_name"), not the pinned $questdb_sha256: refused"
  mv -f "$part/$jar_name" "$JAR_DIR/$jar_name"
}

: "${JAR_DIR:?}"
log=$(mktemp)
trap 'rm -rf "$log" "$JAR_DIR/.part.$$"' EXIT
packages=
want_jar=
for part_name in "$@"; do
  case $part_name in
    redis) packages="$packages redis-server" ;;
    # The default is Java 17 in Debian 12 and 21 in Debian 13; QuestDB 9.3.4 needs 17.
    java) packages="$packages default-jre-headless" ;;
    # A separate package in Debian; only the bench and tests of clients need it.
    python) packages="$packages python3-venv" ;;
    psql) packages="$packages postgresql-client" ;;
    jar) want_jar=yes ;;
    *) fail "unknown part: $part_name" ;;
  esac
done
if [ -n "$want_jar" ] && ! command -v mvn >/dev/null 2>&1; then
  is_pinned_jar "$JAR_DIR/$jar_name" || is_pinned_jar "$cached" || packages="$packages maven"
fi
# shellcheck disable=SC2086 # a list of package names
[ -z "$packages" ] || apt_install $packages
[ -z "$want_jar" ] || install_jar
