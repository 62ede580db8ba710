#!/usr/bin/env bash
# A sweep of 12 tiny runs as an array of a real Slurm on this machine. While it runs, one task is asked to stop (as before its
# time limit), and the program of another is killed. Both are queued again and continue; the report is written once all
# have ended; a job that is cancelled is not queued again.
#
#   array.sh ISOFLOP [FOLDER]
#
# With FOLDER, which must not exist, the output stays there. Exit status: 0 passed, 77 skipped with the reason, else failed.
set -euo pipefail

isoflop=$(realpath "$1")
slurm=$(mktemp -d /tmp/slurm-XXXXXX)
work=${2:-$slurm/work}
# A name that a script must quote.
work="$work/it's 100% tiny"
source "$(dirname "$(realpath "$0")")/local-slurm.sh"

status=0
slurm_start "$slurm" || status=$?
[ "$status" -eq 0 ] || { rm -rf "$slurm"; exit "$status"; }
finish() {
  status=$?
  [ "$status" -eq 0 ] || tail -n 20 "$work"/runs/tiny/jobs/logs/* >&2 || true
  slurm_stop "$slurm"
  rm -rf "$slurm"
  exit "$status"
}
trap finish EXIT

fail() {
  echo "failed: $*" >&2
  exit 1
}
# Waits until the command succeeds, for at most $1 seconds.
await() {
  local seconds=$1 end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "not within $seconds s: $*"
    sleep 0.3
  done
}

mkdir -p "$work"
cd "$work"
cat >tiny.toml <<'TOML'
seeds = [0, 1]
match = { mode = "flops" }

[decoder]
n_layers = 2
seq_len = 96
d_ff_multiple = 16

[sizes.xs]
d_model = 16
n_heads = 2
tokens = 3_000_000

[sizes.s]
d_model = 32
n_heads = 2
tokens = 300_000

[blocks.dense]
kind = "dense"

[blocks.moe]
kind = "mixture_of_experts"
n_experts = 4

[blocks."memory+"]
kind = "memory"
placement = "middle"
keys = { n_keys = 8, n_heads = 2, top_k = 4 }
gate = true

[suites]
vocab_size = 320

[suites.biographies]
people = 12
questions = 4

[training]
batch_size = 4
learning_rate = 3e-3
table_learning_rate = 1e-2
log_every = 2
validations = 2
validation_tokens = 500

[training.checkpoint]
every_steps = 50
TOML

# An option that Slurm refuses is an error, and nothing is submitted.
if "$isoflop" slurm tiny.toml --threads 1 --partition none --submit >/dev/null 2>refused; then
  fail "an unknown partition is no error"
fi
grep -q "not all submitted" refused || fail "no reason: $(cat refused)"
[ -z "$(squeue -h)" ] || fail "jobs in spite of an error"

"$isoflop" slurm tiny.toml --threads 1 --submit | tee submitted
[ "$(grep -c '^array-.*: job' submitted)" -eq 1 ] || fail "not one array"
array=$(sed -n 's/^array-1.sh: job //p' submitted)
report=$(sed -n 's/^report.sh: job \([0-9]*\),.*/\1/p' submitted)

state_of() { scontrol -o show job "$1" | grep -o 'JobState=[A-Z_]*' | head -n 1 | cut -d= -f2; }
is_in_state() { [ "$(state_of "$1")" = "$2" ]; }
restarts_of() { scontrol -o show job "$1" | grep -o 'Restarts=[0-9]*' | head -n 1 | cut -d= -f2; }
# The process of the program in a task of an array.
program_of() {
  local environment
  for environment in /proc/[0-9]*/environ; do
    if grep -zqx "SLURM_ARRAY_JOB_ID=$1" "$environment" 2>/dev/null &&
      grep -zqx "SLURM_ARRAY_TASK_ID=$2" "$environment" 2>/dev/null &&
      [ "$(cat "${environment%environ}comm" 2>/dev/null)" = isoflop ]; then
      environment=${environment#/proc/}
      echo "${environment%/environ}"
      return 0
    fi
  done
  return 1
}
log_of() { cat "runs/tiny/jobs/logs/$1_$2.log" 2>/dev/null; }
count_steps() { "$isoflop" status tiny.toml | grep -c 'running.*training, step [1-9]' || true; }
both_train() { [ "$(count_steps)" -eq 2 ]; }

await 60 both_train
echo "both tasks train"
kill -KILL "$(program_of "$array" 1)"
# It sends the signal, and then tries again for as long as the task is queued.
timeout 3 scancel --signal=TERM --batch "${array}_0" || true
queued_again() { log_of "$array" "$1" | grep -q 'queued again'; }
await 60 queued_again 0
await 60 queued_again 1
echo "one was asked to stop, one was killed, both are queued again"
await 900 is_in_state "$report" COMPLETED

for task in $(seq 0 11); do
  is_in_state "${array}_$task" COMPLETED || fail "task $task is $(state_of "${array}_$task")"
  expected=$([ "$task" -lt 2 ] && echo 1 || echo 0)
  [ "$(restarts_of "${array}_$task")" = "$expected" ] || fail "task $task: $(restarts_of "${array}_$task") restarts"
done
"$isoflop" status tiny.toml | tee finished
grep -q '^12 of 12 runs finished' finished || fail "not all are finished"
[ -s runs/tiny/report.html ] || fail "no report"
# Both continued from a checkpoint: a column of the rows has how often.
"$isoflop" report tiny.toml --csv >/dev/null
python3 - <<'PYTHON' || fail "not two runs were continued"
import csv
rows = list(csv.DictReader(open("runs/tiny/csv/runs.csv")))
continued = [int(row["resumes"]) for row in rows]
assert len(rows) == 12 and sorted(continued) == [0] * 10 + [1, 1], continued
PYTHON
"$isoflop" slurm tiny.toml 2>again
grep -q 'all 12 runs are finished' again || fail "missing runs: $(cat again)"

# A job that is cancelled is not queued again, and its run has a checkpoint.
"$isoflop" slurm tiny.toml --threads 1 --set 'seeds=[9]' --only dense --size xs --set sizes.xs.tokens=4e6 --submit | tee submitted
array=$(sed -n 's/^array-1.sh: job //p' submitted)
trains() { "$isoflop" status tiny.toml --set 'seeds=[9]' --set sizes.xs.tokens=4e6 | grep -q 'running.*training, step [1-9]'; }
await 60 trains
timeout 10 scancel "${array}_0" || true
await 60 is_in_state "${array}_0" CANCELLED
sleep 10
is_in_state "${array}_0" CANCELLED || fail "a cancelled job is $(state_of "${array}_0")"
[ -n "$(find runs/tiny/checkpoints -name state.json)" ] || fail "no checkpoint of the cancelled job"
echo "a cancelled job is not queued again"
