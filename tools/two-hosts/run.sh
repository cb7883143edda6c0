#!/usr/bin/env bash
# Trains with one rank on each of two hosts that are joined by TCP alone, and compares with two threads of one process:
#
#   npm run check:two-hosts        as root, on Linux, with iproute2 and Open MPI
#
# The hosts are network namespaces of this machine with names of their own; mpirun starts the second rank over a launch agent
# in the place of ssh (agent.sh). They share the disk, and nothing else: Open MPI is held to TCP.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../network-hosts.sh"
dit=$here/../../apps/cli/dist/main.js
mpirun=$(command -v mpirun.openmpi || command -v mpirun)
work=$(mktemp -d)

clean() {
  remove_hosts a b
  rm -rf "$work"
}
trap clean EXIT

make_hosts 10.77.0 a b

flags=(train --size 8 --patch 4 --hidden 64 --depth 2 --heads 2 --batch 16 --steps 30 --checkpoint-every 10 --timesteps 20
  --schedule squaredcos_cap_v2 --sample-every none --backend cpu-wasm --threads 1 --patience 60)
run=(on a env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$mpirun"
  --mca plm_rsh_agent "$here/agent.sh" --mca btl tcp,self --mca pml ob1
  --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24
  --host 10.77.0.1:1,10.77.0.2:1 -n 2)

received() { ip netns exec dit-a cat /sys/class/net/dit-veth-a/statistics/rx_bytes; }

before=$(received)
"${run[@]}" "$(command -v node)" "$dit" "${flags[@]}" --out "$work/hosts" | tee "$work/out" | grep -E '^workers|waited'
after=$(received)
grep -qE 'dit-a:[0-9]+, 1 dit-b:[0-9]+' "$work/out" || { echo 'two-hosts: the ranks are not on two hosts'; exit 1; }
node "$dit" "${flags[@]}" --workers 2 --out "$work/threads" >/dev/null
for file in log.jsonl checkpoints/step-0000030/{model,ema,optimizer}.safetensors; do
  cmp "$work/hosts/$file" "$work/threads/$file"
done
echo "ok: 30 steps on two hosts, $(((after - before) / 1024)) KiB received over TCP by the first; byte-identical to two threads"
