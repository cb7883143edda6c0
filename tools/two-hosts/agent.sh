#!/usr/bin/env bash
# Runs a command on a host of run.sh, as ssh would: agent.sh <address> <command...>
source "$(dirname "${BASH_SOURCE[0]}")/../network-hosts.sh"
while [ "${1#-}" != "$1" ]; do shift; done
case $1 in
  10.77.0.1) host=a ;;
  *) host=b ;;
esac
shift
on "$host" sh -c "$*"
