"""A worker that checks tasks: it takes those that wait for their quality check, and reports a verdict on each.

    export STEPLEDGER_URL=http://127.0.0.1:8787 STEPLEDGER_KEY=slg_…   # a key of the role service
    python3 worker.py

Each check is a run that the service knows: who looks at the task sees that it is being checked, and by whom.
"""

import sys
import urllib.parse

from stepledger import Problem, Stepledger

INSTRUCTIONS_LENGTH_MIN = 20


def main():
    stepledger = Stepledger.from_environment()
    waiting = list(stepledger.each("/tasks", stepKind="pre_qa", stepStatus="queued"))
    for task in waiting:
        try:
            check(stepledger, task)
        except Problem as problem:
            # Somebody else was faster, or took the task back: the others still wait.
            print(f"{task['title']}: {problem}", file=sys.stderr)
    print(f"{len(waiting)} checked")


def check(stepledger, task):
    """Opens a run, judges the task, and reports."""
    step = task["currentStep"]
    # A worker that died after this call and starts over finds the run that it opened.
    run = stepledger.post(
        f"/tasks/{task['id']}/worker-runs",
        {"type": "QUALITY_AUTOMATION"},
        idempotency_key=f"quality-{step['id']}-{task['eventSeq']}",
    )
    path = f"/worker-runs/{urllib.parse.quote(run['id'])}"
    stepledger.patch(path, {"state": "RUNNING"})
    try:
        faults = faults_of(content_of(stepledger, task))
    except Exception as error:
        # No verdict is not the same as a bad one: the task needs attention, and nobody is blamed.
        stepledger.patch(path, {"state": "FAILED", "error": str(error)})
        raise
    verdict = "failed" if faults else "passed"
    reported = stepledger.patch(
        path, {"state": "SUCCEEDED", "verdict": verdict, "result": {"faults": faults}}
    )
    print(f"{task['title']}: {verdict}, now {reported['task']['unifiedStatus']}")


def content_of(stepledger, task):
    version = stepledger.get(f"/tasks/{task['id']}/versions/{task['activeVersion']['number']}")
    return version["content"]


def faults_of(content):
    """What is wrong with a task; put your own rules here."""
    instructions = content.get("instructions", "")
    faults = []
    if len(instructions) < INSTRUCTIONS_LENGTH_MIN:
        faults.append("The instructions are too short to be understood.")
    if "?" not in instructions:
        faults.append("The instructions ask nothing.")
    return faults


if __name__ == "__main__":
    main()
