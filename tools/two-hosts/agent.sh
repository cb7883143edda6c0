#!/bin/sh
# Runs a command on a host of run.sh, as ssh would: agent.sh <address> <command...>
while [ "${1#-}" != "$1" ]; do shift; done
case $1 in
  10.77.0.1) host=dit-a ;;
  *) host=dit-b ;;
esac
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host && $*"
