"""A worker that checks tasks: it claims waiting runs and reports a verdict on each.

    export STEPLEDGER_URL=http://127.0.0.1:8787 STEPLEDGER_KEY=slg_…   # a key with the role service
    python3 worker.py

You can start several workers: each run is claimed by only one of them. A run can be claimed if its pipeline was
dispatched and has no endpoint. The worker exits when no run is waiting; start it again from a timer.
"""

import sys
import urllib.parse

from stepledger import Problem, Stepledger

RUNS_MAX = 10
# Each claimed run must get its first report within this time; otherwise another worker may claim it.
LEASE_SECONDS = 300
INSTRUCTIONS_LENGTH_MIN = 20


def main():
    stepledger = Stepledger.from_environment()
    checked = 0
    while work := claim(stepledger):
        for item in work:
            try:
                check(stepledger, item)
                checked += 1
            except Problem as problem:
                # Another worker has claimed the run, or the task was moved. The other runs are not affected.
                print(f"{item['task']['title']}: {problem}", file=sys.stderr)
    print(f"{checked} checked")


def claim(stepledger):
    """Claims waiting runs for this worker, those of the most urgent tasks first."""
    request = {"types": ["QUALITY_AUTOMATION"], "max": RUNS_MAX, "leaseSeconds": LEASE_SECONDS}
    return stepledger.post("/worker-runs/claim", request)["data"]


def check(stepledger, work):
    """Reports that the run has started, checks the task, and reports the verdict."""
    run, task = work["run"], work["task"]

    def report(**fields):
        # The attempt identifies this worker's claim: if the lease has expired and another worker has claimed the
        # run, the service rejects the report.
        path = f"/worker-runs/{urllib.parse.quote(run['id'])}"
        return stepledger.patch(path, {"attempt": run["attempt"], **fields})

    # This report ends the lease and starts the run's deadline; each further report restarts it.
    report(state="RUNNING")
    try:
        faults = faults_of(content_of(stepledger, task, work["version"]))
    except Exception as error:
        # A crash is not a bad verdict: FAILED flags the task for attention without judging it.
        report(state="FAILED", error=str(error))
        raise
    verdict = "failed" if faults else "passed"
    reported = report(state="SUCCEEDED", verdict=verdict, result={"faults": faults})
    if aside := reported["keptAside"]:
        # The run ended without this worker, or its step was left or moved by hand: the report is stored all the same.
        print(f"{task['title']}: {aside['detail']}", file=sys.stderr)
    print(f"{task['title']}: {verdict}, now {reported['task']['unifiedStatus']}")


def content_of(stepledger, task, version):
    return stepledger.get(f"/tasks/{task['id']}/versions/{version['number']}")["content"]


def faults_of(content):
    """Returns what is wrong with a task. Replace this with your own rules."""
    instructions = content.get("instructions", "")
    faults = []
    if len(instructions) < INSTRUCTIONS_LENGTH_MIN:
        faults.append("The instructions are too short.")
    if "?" not in instructions:
        faults.append("The instructions contain no question.")
    return faults


if __name__ == "__main__":
    main()
