# Runs one program: job on standard input, report on standard output in one line framed by the job's nonce.
import json
import os
import sys


def plain(value):
    """Whether the value has exactly the type of an expected one: True equals 1 but is not an integer here."""
    kind = type(value)
    return kind in (int, str) or (kind is list and all(type(part) is int for part in value))


def name(error):
    return type(error).__name__


def call(function, argument):
    try:
        value = function(argument)
        return {"value": value} if plain(value) else {"other": type(value).__name__}
    except BaseException as error:
        return {"error": name(error)}


def run(job):
    scope = {"__name__": "answer"}
    try:
        exec(compile(job["source"], "answer", "exec"), scope)
        function = scope[job["function"]]
    except BaseException as error:
        return {"error": name(error)}
    return {"calls": [call(function, argument) for argument in job["arguments"]]}


def main():
    job = json.loads(sys.stdin.read())
    out = os.dup(1)
    line = "\n%s %s\n" % (job["nonce"], json.dumps(run(job)))
    sys.stdout.flush()
    os.write(out, line.encode("ascii"))
    os._exit(0)


main()
