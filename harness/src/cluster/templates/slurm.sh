#!/bin/bash
{#
Template of the jobs that `isoflop slurm` writes, in the language of Jinja: edit a copy and give it by --template.
The same template makes the arrays that execute runs, where `group` is set, and the job that writes the report.

  name              name of the sweep
  folder            folder in which commands are executed
  logs              folder of the output of jobs
  command           command that executes a run, to which --run and its name are added
  report_command    command that writes the report
  threads           worker threads of a process
  uses_gpus         whether devices are GPUs
  grace_seconds     time between the request to stop and the end of a job
  at_once           largest number of tasks of an array at a time; 0 without a limit
  options           further options of sbatch, from the command line
  claim_seconds     time after which a run that a killed process held is free
  group.runs        names of the runs of an array, one for each task
  group.devices, group.nodes, group.devices_per_node, group.memory_gib, group.minutes
                    what a run requires

Filters: `shell` quotes a word, `pattern` a file name of an option, `clock` writes minutes as Slurm reads them.
#}
#SBATCH --job-name={{ name if group else name ~ "-report" }}
#SBATCH --output={{ logs | pattern("/%A_%a.log" if group else "/report_%j.log") }}
#SBATCH --open-mode=append
#SBATCH --cpus-per-task={{ threads }}
{% if group %}
#SBATCH --array=0-{{ group.runs | length - 1 }}{{ "%" ~ at_once if at_once else "" }}
#SBATCH --requeue
#SBATCH --signal=B:TERM@{{ grace_seconds }}
#SBATCH --nodes={{ group.nodes }}
#SBATCH --ntasks={{ group.devices }}
#SBATCH --ntasks-per-node={{ group.devices_per_node }}
{% if uses_gpus %}
#SBATCH --gpus-per-node={{ group.devices_per_node }}
{% endif %}
#SBATCH --mem={{ group.memory_gib }}G
#SBATCH --time={{ group.minutes | clock }}
{% else %}
#SBATCH --ntasks=1
#SBATCH --mem=4G
#SBATCH --time=0-01:00:00
{% endif %}
{% for option in options %}
#SBATCH --{{ option }}
{% endfor %}

# Modules of the cluster, such as: module load cuda/12.8 openmpi/5.0

# The container of the program, such as: container=(apptainer exec --nv isoflop.sif)
container=()

cd {{ folder | shell }} || exit 1
{% if not group %}
exec "${container[@]}" {{ report_command }}
{% else %}
runs=(
{% for run in group.runs %}
  {{ run | shell }}
{% endfor %}
)
run=${runs[SLURM_ARRAY_TASK_ID]}
# Not SLURM_JOB_ID: for the task that was started last it is the id of the array, all of whose tasks would be queued again.
task=${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}

child=
stopping=
# TERM comes shortly before the time limit and at a preemption. The program then writes a checkpoint and ends with status 130.
stop() {
  stopping=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap stop TERM

# Executes a command in the background: bash handles a signal only when a command in the foreground has ended.
execute() {
  [ -z "$stopping" ] || return 130
  "$@" &
  child=$!
  # A signal since the test above found no child.
  [ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null
  wait "$child"
  local status=$? last
  # A signal ends `wait` with status 143, and the command goes on.
  while [ "$status" -eq 143 ]; do
    wait "$child"
    last=$?
    # It was the command's own status.
    [ "$last" -ne 127 ] || break
    status=$last
  done
  child=
  return "$status"
}

execute_run() {
  execute {{ "srun --mpi=pmix --ntasks=" ~ group.devices ~ " " if group.devices > 1 else "" }}"${container[@]}" \
    {{ command }} --run "$run"
}

echo "$(date -Is) $(uname -n): $run, restarts: ${SLURM_RESTART_COUNT:-0}"
execute_run
status=$?
if [ "$status" -eq 75 ]; then
  # Another process holds the run: one that goes on, or one that was killed, whose claim ends.
  execute sleep {{ claim_seconds }}
  status=$?
  if [ "$status" -eq 0 ]; then
    execute_run
    status=$?
  fi
fi
# Puts the task back into the queue, if Slurm regards it as running: after scancel it does not.
queue_again() {
  # A task that is queued again is sent a TERM of its own.
  trap '' TERM
  if scontrol -o show job "$task" | grep -q 'JobState=RUNNING'; then
    echo "$(date -Is) $1; queued again, to continue from the last checkpoint"
    scontrol requeue "$task" && exit 0
  fi
}
if [ "$status" -eq 130 ] || [ "$status" -eq 143 ]; then
  queue_again stopped
elif [ "$status" -eq 137 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 2 ]; then
  # Perhaps for lack of memory: twice more.
  queue_again killed
fi
exit "$status"
{% endif %}
