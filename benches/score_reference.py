"""Compares `isoflop score` with an independent implementation of its metrics on 1,000 mixed answers for each of six published tasks.

    python3 benches/score_reference.py target/release/isoflop FOLDER

FOLDER has the published files (nq_open/, triviaqa/, hotpotqa/, piqa/, openbookqa/, mmlu/). Only the standard library is used. Exit status 1 if
a metric differs by more than 1e-9.
"""

import ast
import collections
import csv
import glob
import json
import random
import re
import string
import subprocess
import sys
import tempfile

ARTICLES = r"\b(?:The |the |An |A |The |a |an )"
PUNCTUATION = string.punctuation


def cut(text, stops):
    found = [text.find(stop) for stop in stops]
    return text[: min([place for place in found if place >= 0] or [len(text)])]


def reduced(text, patterns):
    for pattern in patterns:
        text = re.sub(pattern, "", text)
    return text.lower().translate(str.maketrans("", "", PUNCTUATION))


def squad(text):
    text = "".join(letter for letter in text.lower() if letter not in PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def trivia(text):
    text = text.replace("_", " ").lower()
    text = "".join(" " if letter in PUNCTUATION + "‘’´`" else letter for letter in text)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(given, accepted, is_hotpot):
    closed = ("yes", "no", "noanswer")
    if is_hotpot and (given in closed or accepted in closed) and given != accepted:
        return 0.0
    given, accepted = given.split(), accepted.split()
    common = sum((collections.Counter(given) & collections.Counter(accepted)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(given), common / len(accepted)
    return 2 * precision * recall / (precision + recall)


def changed(answer, others):
    changes = [
        lambda: answer,
        lambda: " " + answer + "\nQ: more",
        answer.upper,
        lambda: "the " + answer,
        lambda: "The " + answer + ".",
        lambda: answer + " and more",
        lambda: random.choice(others),
        lambda: "",
        lambda: "  " + answer.lower() + "  ",
        lambda: answer.replace(" ", "-"),
        lambda: " ".join(answer.split()[::-1]),
        lambda: "“" + answer + "”",
    ]
    return random.choice(changes)()


def texts(folder):
    lines = open(folder + "/nq_open/NQ-open.dev.jsonl", encoding="utf-8")
    accepted = [json.loads(line)["answer"] for line in lines]
    yield "nq_open", accepted, ["\n", ".", ","], [ARTICLES], squad
    rows = open(folder + "/triviaqa/dpr/topics.dpr.trivia.test.txt", newline="", encoding="utf-8")
    accepted = [ast.literal_eval(row[1]) for row in csv.reader(rows, delimiter="\t")]
    yield "triviaqa", accepted, ["\n", ".", ","], [], trivia
    records = json.load(open(folder + "/hotpotqa/hotpot_dev_v1_simplified.json", encoding="utf-8"))
    yield "hotpotqa", [[record["answer"]] for record in records], ["\n"], [ARTICLES], squad


def choices(folder):
    lines = open(folder + "/piqa/valid.jsonl", encoding="utf-8")
    labels = [int(line) for line in open(folder + "/piqa/valid-labels.lst")]
    records = [json.loads(line) for line in lines]
    yield "piqa", [([record["sol1"], record["sol2"]], gold) for record, gold in zip(records, labels)]
    items = []
    for line in open(folder + "/openbookqa/test.jsonl", encoding="utf-8"):
        record = json.loads(line)
        own = record["question"]["choices"]
        gold = [choice["label"] for choice in own].index(record["answerKey"].lstrip())
        items.append(([choice["text"] for choice in own], gold))
    yield "openbookqa", items
    items = []
    for file in sorted(glob.glob(folder + "/mmlu/test/*_test.csv")):
        for row in csv.reader(open(file, newline="", encoding="utf-8")):
            items.append((row[1:5], "ABCD".index(row[5])))
    yield "mmlu_continuation", items


def first_largest(values):
    return max(range(len(values)), key=lambda place: (values[place], -place))


def compare(program, folder, task, name, lines, expected, n):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as answers:
        answers.write("\n".join(lines))
        answers.flush()
        command = [program, "score", "--task", task, "--data", folder + "/" + name, "--answers", answers.name, "--csv"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {row["metric"]: float(row["value"]) for row in csv.DictReader(out.splitlines()) if row["task"] == task}
    equal = True
    for metric, total in expected.items():
        same = abs(found[metric] - total / n) <= 1e-9
        equal &= same
        print(f"{task:18} {metric:12} {found[metric]:.6f} {total / n:.6f} {'equal' if same else 'DIFFERENT'}")
    return equal


def main():
    program, folder = sys.argv[1:]
    random.seed(7)
    equal = True
    for task, accepted, stops, patterns, normalised in texts(folder):
        lines, totals, n = [], collections.Counter(), 1000
        others = [answers[0] for answers in accepted]
        for doc_id in random.sample(range(len(accepted)), n):
            response = changed(random.choice(accepted[doc_id]), others)
            lines.append(json.dumps({"doc_id": doc_id, "response": response}, ensure_ascii=random.random() < 0.5))
            given = cut(response, stops).strip()
            own = accepted[doc_id]
            totals["exact_match"] += any(reduced(given, patterns) == reduced(answer, patterns) for answer in own)
            totals["em"] += any(normalised(given) == normalised(answer) for answer in own)
            totals["f1"] += max(f1(normalised(given), normalised(answer), task == "hotpotqa") for answer in own)
        equal &= compare(program, folder, task, task, lines, totals, n)
    for task, items in choices(folder):
        n = min(1000, len(items))
        lines, totals = [], collections.Counter()
        for doc_id in random.sample(range(len(items)), n):
            texts_of_item, gold = items[doc_id]
            # Close to equal per character, so that the three metrics choose differently; sometimes equal.
            lls = [-len(text) * random.choice([1.0, random.uniform(0.9, 1.1)]) for text in texts_of_item]
            lines.append(json.dumps({"doc_id": doc_id, "lls": lls}))
            totals["acc"] += first_largest(lls) == gold
            totals["acc_norm"] += first_largest([ll / len(text) for ll, text in zip(lls, texts_of_item)]) == gold
            lengths = [len(text.encode()) for text in texts_of_item]
            totals["acc_bytes"] += first_largest([ll / length for ll, length in zip(lls, lengths)]) == gold
        equal &= compare(program, folder, task, task.split("_")[0], lines, totals, n)
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
