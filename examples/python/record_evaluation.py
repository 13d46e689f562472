"""Records one evaluation of many tasks, and prints how the models compare.

    export STEPLEDGER_URL=http://127.0.0.1:8787 STEPLEDGER_KEY=slg_…
    python3 record_evaluation.py accuracy 4 results.jsonl

Each line of the file is one trial: {"task": "ext:ducks-1", "model": "m-1", "k": 1, "passed": true}. A trial that reached
no verdict has "error" or "score" instead of "passed". You can interrupt the program and run it again: trials that are already
recorded stay as they are. Once all trials in the file are recorded, it completes the evaluation.
"""

import itertools
import json
import sys

from stepledger import Stepledger

RESULTS_MAX = 1000


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    name, k, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    stepledger = Stepledger.from_environment()
    with open(path, encoding="utf-8") as lines:
        is_complete = record(stepledger, name, k, (json.loads(line) for line in lines if line.strip()))
    print_summary(stepledger.get("/evals/summary", name=name))
    sys.exit(0 if is_complete else 1)


def record(stepledger, name, k, results):
    """Sends the results in batches as large as the service accepts. Returns True if all of them are recorded."""
    evaluation = {"name": name, "k": k}
    refused = 0
    last_by_task = {}
    for batch in batches(results, RESULTS_MAX):
        answer = stepledger.post("/evals/record", {**evaluation, "results": batch})
        counts = answer["counts"]
        print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
        refused += counts["conflict"] + counts["not_found"]
        for item in answer["items"]:
            result = batch[item["index"]]
            last_by_task[result["task"]] = result
            if item["outcome"] in ("conflict", "not_found"):
                detail = item.get("detail", "The task does not exist.")
                print(f"  {result['task']} {result['model']} {result['k']}: {detail}", file=sys.stderr)
    if refused == 0:
        # A task's trials may be anywhere in the file, so its eval can be completed only at the end. Sending one
        # recorded trial of each task again identifies the eval to complete.
        for batch in batches(last_by_task.values(), RESULTS_MAX):
            stepledger.post("/evals/record", {**evaluation, "results": batch, "complete": True})
    return refused == 0


def batches(items, size):
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def print_summary(summary):
    for model in summary["models"]:
        rates = ", ".join(
            f"pass@{k} {'unknown' if rate is None else format(rate, '.2f')}"
            for k, rate in model["passAt"].items()
        )
        print(f"{model['model']}: {model['c']} of {model['n']} passed, {rates}")
        if model["scores"] is not None:
            print(f"  mean score {model['scores']['mean']:.2f} of {model['scores']['n']} trials")


if __name__ == "__main__":
    main()
