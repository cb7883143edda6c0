#!/usr/bin/env bash
# Brings up Slurm on two hosts, trains under srun with either family of MPI, and compares with two threads of one process:
#
#   npm run check:slurm        as root, on Linux, with slurm-wlm, munge, iproute2, Open MPI and MPICH
#
# The hosts are network namespaces of this machine with names of their own, joined by TCP; one of them also runs the
# controller. Last comes docs/recipes/slurm.sbatch itself, with a small model in the place of its own: it must save at the end
# of its time, ask for its next turn, go on from there, and end when it is cancelled.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../network-hosts.sh"
dit=$here/../../apps/cli/dist/main.js
node=$(command -v node)
work=$(mktemp -d)
chmod 755 "$work"

clean() {
  local status=$? pid file
  [ $status = 0 ] || tail -n 30 "$work"/log/* >&2 || true
  for file in "$work"/*.pid; do
    read -r pid <"$file" && kill "$pid" 2>/dev/null || true
  done
  sleep 1
  remove_hosts c d
  rm -rf "$work"
}
trap clean EXIT

make_hosts 10.78.0 c d

mkdir -m 700 "$work/munge"
mkdir -p "$work"/{state,log} "$work"/tmp/dit-{c,d} "$work"/spool/dit-{c,d}
head -c 1024 /dev/urandom >"$work/munge/key"
chmod 400 "$work/munge/key"
cat >"$work/slurm.conf" <<CONF
ClusterName=dit
SlurmctldHost=dit-c(10.78.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool/%n
TmpFS=$work/tmp/%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.%n.pid
SlurmctldLogFile=$work/log/slurmctld
SlurmdLogFile=$work/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MinJobAge=300
KillWait=60
NodeName=dit-c NodeAddr=10.78.0.1 CPUs=$(nproc)
NodeName=dit-d NodeAddr=10.78.0.2 CPUs=$(nproc)
PartitionName=all Nodes=dit-c,dit-d Default=YES State=UP MaxTime=INFINITE
CONF
export SLURM_CONF=$work/slurm.conf
munged --force --socket="$work/munge.socket" --key-file="$work/munge/key" --pid-file="$work/munged.pid" \
  --log-file="$work/munge/log" --seed-file="$work/munge/seed"
on c slurmctld -c
for host in c d; do on "$host" slurmd -N "dit-$host"; done
for _ in $(seq 60); do
  [ "$(on c sinfo --noheader --format '%T %D')" = 'idle 2' ] && break
  sleep 0.5
done
on c sinfo

flags=(--size 8 --patch 4 --hidden 64 --depth 2 --heads 2 --batch 16 --checkpoint-every 10 --timesteps 20
  --schedule squaredcos_cap_v2 --sample-every none --backend cpu-wasm --threads 1 --patience 60)
"$node" "$dit" train "${flags[@]}" --steps 30 --workers 2 --out "$work/threads" >/dev/null
for mpi in pmix pmi2; do
  on c timeout 200 srun --mpi=$mpi --nodes 2 --ntasks 2 --kill-on-bad-exit=1 \
    "$node" "$dit" train "${flags[@]}" --steps 30 --out "$work/$mpi" >"$work/out" || { cat "$work/out" "$work"/log/*; exit 1; }
  grep -E '^workers' "$work/out"
  grep -qE 'dit-c:[0-9]+, 1 dit-d:[0-9]+' "$work/out" || { echo 'slurm: the ranks are not on two hosts'; exit 1; }
  for file in log.jsonl checkpoints/step-0000030/{model,ema,optimizer}.safetensors; do
    cmp "$work/$mpi/$file" "$work/threads/$file"
  done
  echo "ok: srun --mpi=$mpi, 30 steps on two hosts, byte-identical to two threads"
done

mkdir "$work/bin"
cat >"$work/bin/dit" <<DIT
#!/bin/bash
[ "\$2" = --resume ] && exec "$node" "$dit" "\$@"
exec "$node" "$dit" train --out runs/large ${flags[*]} --steps 10000000 --checkpoint-every 500
DIT
chmod +x "$work/bin/dit"
# Slurm may send the signal a minute early, and the ranks must be there by then.
submit=(sbatch --parsable --chdir="$work" --output="$work/log/job" --nodes=2 --ntasks-per-node=1 --gpus-per-node=0
  --cpus-per-task=1 --time=00:02:00 --signal=TERM@30)
job=$(PATH=$work/bin:$PATH on c "${submit[@]}" "$here/../../docs/recipes/slurm.sbatch")
state() { on c squeue --noheader --jobs "$job" --format %T; }
await() {
  local what=$1
  shift
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  echo "slurm: waited too long until $what (the job is $(state))" >&2
  exit 1
}
is() { [ "$(state)" = "$1" ]; }
await 'the job saves at the end of its time' grep -q 'a checkpoint is saved' "$work/log/job"
await 'it is in the queue again' is PENDING
# Slurm itself would wait two minutes, in which the daemons of the first turn end.
sleep 10
on c scontrol update "JobId=$job" StartTime=now
await 'it goes on from its checkpoint' grep -q 'resuming at step' "$work/log/job"
await 'it runs' is RUNNING
grep -hE '^dit: stopped|resuming' "$work/log/job"
on c scancel "$job"
await 'it has ended' is ''
echo 'ok: the recipe saved at the end of its time, was queued again, went on, and ended when cancelled'
