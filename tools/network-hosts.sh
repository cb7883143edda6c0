# Two hosts on one machine, for scripts that source this: network namespaces with names of their own, joined by TCP. Needs root and
# iproute2.

# make_hosts NETWORK A B: dit-A has the address NETWORK.1, dit-B NETWORK.2.
make_hosts() {
  local network=$1 number=1 host
  shift
  for host in "$@"; do ip netns add "dit-$host"; done
  ip link add "dit-veth-$1" netns "dit-$1" type veth peer name "dit-veth-$2" netns "dit-$2"
  for host in "$@"; do
    ip -n "dit-$host" address add "$network.$number/24" dev "dit-veth-$host"
    ip -n "dit-$host" link set "dit-veth-$host" up
    ip -n "dit-$host" link set lo up
    number=$((number + 1))
  done
}

remove_hosts() {
  local host
  for host in "$@"; do ip netns del "dit-$host" 2>/dev/null || true; done
}

# on HOST COMMAND...: runs a command with the network and the name of a host. (`ip netns exec` would also hide /sys/fs/cgroup,
# which slurmd looks at.)
on() {
  local host=$1
  shift
  nsenter --net="/run/netns/dit-$host" unshare --uts sh -c "hostname dit-$host && exec \"\$@\"" sh "$@"
}
