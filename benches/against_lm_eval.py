#!/usr/bin/env python3
"""The same model on the same items here and in lm-evaluation-harness: likelihoods, generated texts and metrics.

    pip install torch==2.9.0 transformers==4.57.1 lm_eval==0.4.9.1
    isoflop export RUN FOLDER
    python3 benches/against_lm_eval.py target/release/isoflop FOLDER DATA [--items 200] [--max-length 1024]

DATA has the folders piqa, openbookqa, nq_open and triviaqa with their files as published. The first items of each are evaluated. The
declarations of the harness's tasks are those that it installs, with its data replaced by local files of the same records.
"""

import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import lm_eval
import pyarrow.parquet
import yaml
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

TASKS = pathlib.Path(lm_eval.__file__).parent / "tasks"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def piqa(data, items, folder):
    records = lines(data / "piqa" / "valid.jsonl")[:items]
    labels = (data / "piqa" / "valid-labels.lst").read_text().split()[:items]
    (folder / "valid.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "valid-labels.lst").write_text("\n".join(labels) + "\n")
    return [{**record, "label": int(label)} for record, label in zip(records, labels)]


def openbookqa(data, items, folder):
    records = lines(data / "openbookqa" / "test.jsonl")[:items]
    (folder / "test.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    choices = lambda record, key: [choice[key] for choice in record["question"]["choices"]]
    return [
        {
            "question_stem": record["question"]["stem"],
            "choices": {"text": choices(record, "text"), "label": choices(record, "label")},
            "answerKey": record["answerKey"],
        }
        for record in records
    ]


def nq_open(data, items, folder):
    records = lines(data / "nq_open" / "NQ-open.dev.jsonl")[:items]
    (folder / "NQ-open.dev.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return [{"question": record["question"], "answer": record["answer"]} for record in records]


def triviaqa(data, items, folder):
    name = "topics.dpr.trivia.test.txt"
    source = next((data / "triviaqa").rglob(name))
    text = source.read_bytes().decode()
    rows = list(csv.reader(text.splitlines(keepends=True), delimiter="\t"))[:items]
    with open(folder / name, "w", newline="") as out:
        csv.writer(out, delimiter="\t", lineterminator="\r\n").writerows(rows)
    # Literals of Python, which csv has unquoted.
    return [{"question": row[0], "answer": {"aliases": list(eval(row[1], {"__builtins__": {}}))}} for row in rows]


def theirs(task, records, model, folder):
    """Scores and samples of lm-evaluation-harness, by its own declaration of the task."""
    declaration = "default.yaml" if task == "triviaqa" else f"{task}.yaml"
    config = yaml.safe_load((TASKS / task / declaration).read_text())
    file = folder / "records.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    split = "test" if task == "openbookqa" else "validation"
    config.update(dataset_path="json", dataset_name=None, dataset_kwargs={"data_files": {split: str(file)}})
    for other in ("training_split", "validation_split", "test_split"):
        config.pop(other, None)
    config[f"{split}_split"] = split
    name = config["task"] = f"local_{task}"
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    results = lm_eval.simple_evaluate(
        model=model, tasks=[name], num_fewshot=0, log_samples=True, bootstrap_iters=0, task_manager=manager
    )
    samples = sorted(results["samples"][name], key=lambda sample: sample["doc_id"])
    return results["results"][name], samples


def ours(isoflop, folder, task, data, options, scratch):
    samples = scratch / "samples.parquet"
    command = [isoflop, "score", f"hf:{folder}", "--task", task, "--data", str(data), "--samples", str(samples), "--csv", "-q"]
    command += ["--max-length", str(options.max_length), "--output", str(scratch / "runs")]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    scores = {row["metric"]: float(row["value"]) for row in csv.DictReader(out.splitlines()) if row["task"] == task}
    rows = pyarrow.parquet.read_table(samples).to_pylist()
    return scores, sorted(rows, key=lambda row: row["doc_id"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isoflop")
    parser.add_argument("folder")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--max-length", type=int, default=1024)
    options = parser.parse_args()
    model = HFLM(pretrained=options.folder, device="cpu", dtype="float32", batch_size=8, max_length=options.max_length, add_bos_token=True)
    failed = False
    for read in (piqa, openbookqa, nq_open, triviaqa):
        task = read.__name__
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            files = scratch / "data"
            files.mkdir()
            records = read(options.data, options.items, files)
            their_scores, their_samples = theirs(task, records, model, scratch)
            our_scores, our_samples = ours(options.isoflop, options.folder, task, files, options, scratch)
        assert len(their_samples) == len(our_samples) == len(records)
        largest, prompts, texts = 0.0, 0, 0
        for their, our in zip(their_samples, our_samples):
            answer = json.loads(our["answer"])
            prompts += their["arguments"][0][0] != our["prompt"]
            if "lls" in answer:
                lls = [response[0][0] for response in their["resps"]]
                largest = max(largest, max(abs(a - b) for a, b in zip(lls, answer["lls"], strict=True)))
            else:
                texts += their["resps"][0][0].strip() != answer["response"].strip()
        line = f"{task}: {len(records)} items, {prompts} prompts differ, "
        line += f"largest difference of a likelihood {largest:.1e}" if "lls" in answer else f"{texts} generated texts differ"
        for key, value in their_scores.items():
            metric, _, filter_ = key.partition(",")
            if filter_ and not metric.endswith("_stderr") and metric in our_scores:
                line += f"; {metric} {our_scores[metric]:.6f} here, {value:.6f} there"
                failed |= abs(our_scores[metric] - value) > 1e-9
        failed |= prompts > 0 or largest > 1e-3 or texts > 0
        print(line)
    sys.exit("they differ" if failed else 0)


if __name__ == "__main__":
    main()
