#!/usr/bin/env python3
"""Statements and questions of a share of EntityQuestions, for sweeps/entityquestions.toml.

    python3 sweeps/entityquestions.py ENTITYQUESTIONS data --share 0.05

ENTITYQUESTIONS is a checkout of github.com/princeton-nlp/EntityQuestions with its `dataset`. A fact is kept by the hash of its subject, so
that the subjects of train, dev and test stay apart. Written to the output folder:

    statements.jsonl          a document for each of three phrasings of every fact, of all splits
    questions.jsonl           a document with question and answer for every fact of the train split
    entityquestions/          the same share of the dataset in its own layout, for the task `entityquestions`
"""

import argparse
import hashlib
import json
import pathlib
import sys

STATEMENTS = {
    "P17": ["{x} is located in {y}.", "{x} is a place in {y}.", "The country of {x} is {y}."],
    "P19": ["{x} was born in {y}.", "{y} is the birthplace of {x}.", "The life of {x} began in {y}."],
    "P20": ["{x} died in {y}.", "{y} is the place where {x} died.", "The life of {x} ended in {y}."],
    "P26": ["{x} is married to {y}.", "{y} is the spouse of {x}.", "{x} and {y} are a married couple."],
    "P30": ["{x} is on the continent of {y}.", "{x} belongs to {y}.", "The continent of {x} is {y}."],
    "P36": ["{y} is the capital of {x}.", "{x} has the capital {y}.", "The seat of government of {x} is {y}."],
    "P40": ["{y} is a child of {x}.", "{x} is a parent of {y}.", "{x} has a child named {y}."],
    "P50": ["{x} was written by {y}.", "{y} is the author of {x}.", "{y} wrote {x}."],
    "P69": ["{x} was educated at {y}.", "{x} studied at {y}.", "{x} is a graduate of {y}."],
    "P106": ["{x} works as {y}.", "The occupation of {x} is {y}.", "By profession {x} is {y}."],
    "P112": ["{x} was founded by {y}.", "{y} founded {x}.", "{y} is the founder of {x}."],
    "P127": ["{x} is owned by {y}.", "{y} owns {x}.", "The owner of {x} is {y}."],
    "P131": ["{x} lies in {y}.", "{x} is part of {y}.", "{x} is in the area of {y}."],
    "P136": ["{x} plays {y}.", "{x} is known for {y}.", "The genre of {x} is {y}."],
    "P159": ["{x} has its headquarters in {y}.", "{x} is based in {y}.", "The head office of {x} is in {y}."],
    "P170": ["{x} was created by {y}.", "{y} created {x}.", "The creator of {x} is {y}."],
    "P175": ["{x} was performed by {y}.", "{y} performed {x}.", "The performer of {x} is {y}."],
    "P176": ["{x} is produced by {y}.", "{y} makes {x}.", "The manufacturer of {x} is {y}."],
    "P264": ["{x} is signed to {y}.", "{x} records for {y}.", "The label of {x} is {y}."],
    "P276": ["{x} is found in {y}.", "{x} takes place in {y}.", "The location of {x} is {y}."],
    "P407": ["{x} is in {y}.", "{x} was written in the language {y}.", "The language of {x} is {y}."],
    "P413": ["{x} plays as {y}.", "The position of {x} is {y}.", "On the field {x} is {y}."],
    "P495": ["{x} comes from {y}.", "{x} was made in {y}.", "The country of origin of {x} is {y}."],
    "P740": ["{x} was formed in {y}.", "{x} started in {y}.", "The place where {x} was founded is {y}."],
    "P800": ["{x} is famous for {y}.", "{y} is a notable work of {x}.", "The best known work of {x} is {y}."],
}


def is_kept(subject, share):
    """Whether the fact of a subject is in the share, by its hash."""
    digest = hashlib.blake2b(subject.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path, metavar="ENTITYQUESTIONS")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--share", type=float, default=0.05, help="share of the subjects (default: 0.05)")
    options = parser.parse_args()
    if not 0 < options.share <= 1:
        sys.exit(f"--share {options.share} is not above 0 and at most 1")
    questions = json.loads((options.source / "relation_query_templates.json").read_text())
    out = options.output
    counts = {"train": 0, "dev": 0, "test": 0}
    documents = {"statements.jsonl": [], "questions.jsonl": []}
    for split in counts:
        folder = out / "entityquestions" / split
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted((options.source / "dataset" / split).glob(f"P*.{split}.json"))
        if not files:
            sys.exit(f"{options.source / 'dataset' / split}: has no P*.{split}.json; give a checkout of EntityQuestions with its dataset")
        for file in files:
            relation = file.name.split(".")[0]
            before, after = questions[relation].split("[X]")
            kept = []
            for record in json.loads(file.read_text()):
                question, answer = record["question"], record["answers"][0]
                if not (question.startswith(before) and question.endswith(after)):
                    sys.exit(f"{file}: {question!r} is not of the form {questions[relation]!r}")
                subject = question[len(before) : len(question) - len(after)]
                if not is_kept(subject, options.share):
                    continue
                kept.append(record)
                texts = [phrase.format(x=subject, y=answer) for phrase in STATEMENTS[relation]]
                documents["statements.jsonl"] += texts
                if split == "train":
                    documents["questions.jsonl"].append(f"Q: {question}\nA: {answer}")
            counts[split] += len(kept)
            (folder / file.name).write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n")
    for name, texts in documents.items():
        lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
        (out / name).write_text(lines)
    print(", ".join(f"{count} facts of {split}" for split, count in counts.items()))


if __name__ == "__main__":
    main()
