"""A worker that checks tasks: it takes the runs that wait for one, and reports a verdict on each.

    export STEPLEDGER_URL=http://127.0.0.1:8787 STEPLEDGER_KEY=slg_…   # a key of the role service
    python3 worker.py

Start as many as you like: each run is handed to one of them. A run waits here where its pipeline was asked for and has
no endpoint. It ends when nothing waits any more; let a timer start it again.
"""

import sys
import urllib.parse

from stepledger import Problem, Stepledger

RUNS_MAX = 10
# How long the first report on the last of these runs may take: whoever is slower has lost it to another worker.
LEASE_SECONDS = 300
INSTRUCTIONS_LENGTH_MIN = 20


def main():
    stepledger = Stepledger.from_environment()
    checked = 0
    while work := claim(stepledger):
        for one in work:
            try:
                check(stepledger, one)
                checked += 1
            except Problem as problem:
                # Another worker has the run by now, or somebody took the task back: the others still wait.
                print(f"{one['task']['title']}: {problem}", file=sys.stderr)
    print(f"{checked} checked")


def claim(stepledger):
    """Some of the runs that wait, for this worker alone: the most urgent task's first."""
    wanted = {"types": ["QUALITY_AUTOMATION"], "max": RUNS_MAX, "leaseSeconds": LEASE_SECONDS}
    return stepledger.post("/worker-runs/claim", wanted)["data"]


def check(stepledger, work):
    """Says that it has begun, judges the task, and reports."""
    run, task = work["run"], work["task"]

    def report(**said):
        # With its attempt: where the lease has ended, a report must not pass for that of whoever has the run now.
        path = f"/worker-runs/{urllib.parse.quote(run['id'])}"
        return stepledger.patch(path, {"attempt": run["attempt"], **said})

    # From here on the run is this worker's, and each report gives it until the deadline anew.
    report(state="RUNNING")
    try:
        faults = faults_of(content_of(stepledger, task, work["version"]))
    except Exception as error:
        # No verdict is not the same as a bad one: the task needs attention, and nobody is blamed.
        report(state="FAILED", error=str(error))
        raise
    verdict = "failed" if faults else "passed"
    reported = report(state="SUCCEEDED", verdict=verdict, result={"faults": faults})
    print(f"{task['title']}: {verdict}, now {reported['task']['unifiedStatus']}")


def content_of(stepledger, task, version):
    return stepledger.get(f"/tasks/{task['id']}/versions/{version['number']}")["content"]


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
