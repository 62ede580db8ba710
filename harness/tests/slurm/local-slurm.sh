#!/usr/bin/env bash
# A Slurm of one machine on the loopback interface, for tests: munged, slurmctld and slurmd with all files in DIR.
#
#   source local-slurm.sh
#   slurm_start DIR    exports SLURM_CONF; returns 77 with the reason on standard error if Slurm cannot be had
#   slurm_stop DIR     cancels all jobs and ends the daemons
#
# It requires root and the packages slurm-wlm and munge (Debian, Ubuntu). DIR has at most 60 characters, since sockets are
# in it.

slurm_skip() {
  echo "no Slurm: $*" >&2
  return 77
}

slurm_start() {
  local dir=$1 host address program i
  [ "$(id -u)" -eq 0 ] || { slurm_skip "its daemons must be started as root"; return 77; }
  export PATH=$PATH:/usr/sbin:/sbin
  for program in munged slurmctld slurmd sbatch scontrol; do
    type "$program" >/dev/null 2>&1 || { slurm_skip "$program is not installed (packages slurm-wlm and munge)"; return 77; }
  done
  [ "${#dir}" -le 60 ] || { slurm_skip "the path $dir is longer than 60 characters"; return 77; }
  host=$(uname -n)
  address=$(getent ahostsv4 "$host" | awk 'NR == 1 { print $1 }')
  [ "$address" = 127.0.0.1 ] || { slurm_skip "the name of this machine, $host, is not 127.0.0.1 in /etc/hosts"; return 77; }

  mkdir -p "$dir/state" "$dir/spool"
  # munged accepts no folder that others can write, and no key that others can read.
  chmod 755 "$dir"
  (umask 077 && head -c 128 /dev/urandom >"$dir/munge.key")
  cat >"$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=${host%%.*}($address)
SlurmUser=root
SlurmctldPort=$(slurm_free_port 27817)
SlurmdPort=$(slurm_free_port 28817)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
# How long a task that is queued again waits, 120 s by default.
AuthInfo=socket=$dir/munge.socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
# Control groups are not there in a container.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
KillWait=10
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname=${host%%.*} NodeAddr=$address CPUs=2 RealMemory=4000000
PartitionName=test Nodes=node1 Default=YES MaxTime=INFINITE
CONF
  export SLURM_CONF=$dir/slurm.conf
  munged --force --socket="$dir/munge.socket" --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" >"$dir/munged.out" 2>&1 &&
    slurmctld -f "$SLURM_CONF" >"$dir/slurmctld.out" 2>&1 &&
    slurmd -f "$SLURM_CONF" >"$dir/slurmd.out" 2>&1 ||
    { cat "$dir"/*.out >&2; slurm_stop "$dir"; slurm_skip "a daemon did not start"; return 77; }
  for ((i = 0; i < 100; i++)); do
    [ "$(sinfo -h -n node1 -o %T 2>/dev/null)" != idle ] || return 0
    # A machine that was drained is used again.
    [ "$i" -ne 30 ] || scontrol update NodeName=node1 State=RESUME || true
    sleep 0.2
  done
  tail -n 20 "$dir"/slurm*.log >&2
  slurm_stop "$dir"
  slurm_skip "the machine does not become idle"
  return 77
}

# The first port from $1 on where nothing listens.
slurm_free_port() {
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

slurm_stop() {
  local dir=$1 daemon pid i
  # Jobs go on without slurmd.
  timeout 10 squeue -h -o %A 2>/dev/null | sort -u | xargs -r timeout 10 scancel 2>/dev/null || true
  for ((i = 0; i < 75; i++)); do
    [ -n "$(timeout 5 squeue -h 2>/dev/null)" ] || break
    sleep 0.2
  done
  for daemon in slurmd slurmctld munged; do
    pid=$(cat "$dir/$daemon.pid" 2>/dev/null) || continue
    # The number may be that of another process by now.
    grep -qa -- "$dir" "/proc/$pid/cmdline" 2>/dev/null || continue
    kill "$pid"
    for ((i = 0; i < 50; i++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
}
