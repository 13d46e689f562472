"""Records one evaluation over many tasks, and tells how the models compare.

    export STEPLEDGER_URL=http://127.0.0.1:8787 STEPLEDGER_KEY=slg_…
    python3 record_evaluation.py accuracy 4 results.jsonl

Each line of the file is one trial: {"task": "ext:ducks-1", "model": "m-1", "k": 1, "passed": true}, or "error" in
place of "passed" where no verdict was reached. It can be broken off and run again: what is there already stays. Once
all trials of the file are in, the evaluation is completed.
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
        is_whole = record(stepledger, name, k, (json.loads(line) for line in lines if line.strip()))
    tell_summary(stepledger.get("/evals/summary", name=name))
    sys.exit(0 if is_whole else 1)


def record(stepledger, name, k, results):
    """Sends the results, as many at once as the service takes. Says whether all of them are in."""
    evaluation = {"name": name, "k": k}
    refused = 0
    one_of_task = {}
    for batch in batches(results, RESULTS_MAX):
        answer = stepledger.post("/evals/record", {**evaluation, "results": batch})
        counts = answer["counts"]
        print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
        refused += counts["conflict"] + counts["not_found"]
        for item in answer["items"]:
            result = batch[item["index"]]
            one_of_task[result["task"]] = result
            if item["outcome"] in ("conflict", "not_found"):
                why = item.get("detail", "There is no such task.")
                print(f"  {result['task']} {result['model']} {result['k']}: {why}", file=sys.stderr)
    if refused == 0:
        # Which task was the last to get a trial only the end of the file tells: one trial of each names its eval.
        for batch in batches(one_of_task.values(), RESULTS_MAX):
            stepledger.post("/evals/record", {**evaluation, "results": batch, "complete": True})
    return refused == 0


def batches(items, size):
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def tell_summary(summary):
    for model in summary["models"]:
        rates = ", ".join(
            f"pass@{k} {'unknown' if rate is None else format(rate, '.2f')}"
            for k, rate in model["passAt"].items()
        )
        print(f"{model['model']}: {model['c']} of {model['n']} passed, {rates}")


if __name__ == "__main__":
    main()
