import { stringify } from "safe-stable-stringify";
import { describe, expect, test } from "vitest";
import type { ReportCommand, ReportedRun } from "../../src/domain/lifecycle/commands.ts";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import type { Decision } from "../../src/domain/lifecycle/decision.ts";
import { REPORT_EFFECTS } from "../../src/domain/lifecycle/runs.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import type {
  ReviewOutcome,
  RunState,
  StepKind,
  StepStatus,
  WorkerType,
} from "../../src/domain/lifecycle/statuses.ts";
import {
  REVIEW_OUTCOMES,
  RUN_STATES,
  STEP_KINDS,
  STEP_STATUSES,
} from "../../src/domain/lifecycle/statuses.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import {
  actor,
  context,
  expectDecision,
  expectRefusal,
  givenTask,
  minute,
  NOT_OFFERED,
} from "./support/world.ts";

function report(
  type: WorkerType,
  state: RunState,
  more: {
    was?: RunState;
    verdict?: ReviewOutcome;
    stepId?: string;
    result?: unknown;
    error?: string;
    attempt?: number;
    claim?: Pick<ReportedRun, "attempt" | "offered" | "claimed" | "heldBy">;
    /** What the run ended with. */
    ended?: Partial<Pick<ReportedRun, "verdict" | "result" | "error">>;
  } = {},
): ReportCommand {
  const { was = "QUEUED", stepId = "step-1", claim = {}, ended = {}, ...rest } = more;
  const run = { ...NOT_OFFERED, id: "run-1", type, state: was, stepId, ...claim, ...ended };
  return { type: "report", run, state, ...rest };
}

const reported = (task: TaskSnapshot, command: ReportCommand): Decision =>
  expectDecision(task, command, "service");

const typesAndStatuses = ({ events }: Decision): string[] =>
  events.map(({ type, toStatus }) => `${type} ${toStatus}`);

describe("the effect of a report", () => {
  test.each([
    ["QUALITY_AUTOMATION", "pre_qa", "RUNNING", undefined, "queued", "running"],
    ["QUALITY_AUTOMATION", "pre_qa", "SUCCEEDED", "passed", "running", "approved"],
    ["QUALITY_AUTOMATION", "pre_qa", "SUCCEEDED", "failed", "running", "awaiting_review"],
    ["QUALITY_AUTOMATION", "pre_qa", "FAILED", undefined, "running", "failed"],
    ["QUALITY_AUTOMATION", "pre_qa", "CANCELLED", undefined, "running", "failed"],
    ["OUTPUT_GENERATION", "output_generation", "RUNNING", undefined, "queued", "running"],
    ["OUTPUT_GENERATION", "output_generation", "SUCCEEDED", undefined, "running", "approved"],
    ["OUTPUT_GENERATION", "output_generation", "FAILED", undefined, "running", "failed"],
    ["OUTPUT_GENERATION", "output_generation", "CANCELLED", undefined, "running", "failed"],
    ["EXPERT_REVIEW", "expert_review", "RUNNING", undefined, "queued", "in_review"],
    ["POST_QA_SCORING", "calibration", "RUNNING", undefined, "queued", "running"],
    ["POST_QA_SCORING", "calibration", "SUCCEEDED", undefined, "running", "approved"],
    ["POST_QA_SCORING", "calibration", "SUCCEEDED", "passed", "running", "approved"],
    ["POST_QA_SCORING", "calibration", "SUCCEEDED", "failed", "running", "awaiting_review"],
    ["POST_QA_SCORING", "calibration", "FAILED", undefined, "running", "failed"],
    ["POST_QA_SCORING", "calibration", "CANCELLED", undefined, "running", "failed"],
  ] as const)(
    "of %s on %s: %s %s moves the step from %s to %s",
    (type, kind, state, verdict, from, to) => {
      const task = givenTask({ kind, status: from });
      const was = from === "queued" ? "QUEUED" : "RUNNING";
      const { events, runs } = reported(
        task,
        report(type, state, { was, ...(verdict && { verdict }) }),
      );
      expect(events[0]).toMatchObject({
        type: "worker_run_changed",
        fromStatus: from,
        toStatus: from,
        payload: { run: { id: "run-1", type, state, stepId: "step-1" } },
      });
      expect(events.at(-1)).toMatchObject({
        type: "step_transitioned",
        fromStatus: from,
        toStatus: to,
      });
      const said = { verdict: verdict ?? null, result: null, error: null };
      expect(runs).toEqual([{ id: "run-1", state, ...said }]);
    },
  );

  test.each(["SUCCEEDED", "FAILED", "CANCELLED"] as const)(
    "of EXPERT_REVIEW %s does not move the step, because people judge",
    (state) => {
      const task = givenTask({ kind: "expert_review", status: "in_review" });
      const decision = reported(task, report("EXPERT_REVIEW", state, { was: "RUNNING" }));
      expect(typesAndStatuses(decision)).toEqual(["worker_run_changed in_review"]);
    },
  );

  test("of PAYMENT moves no step in any state", () => {
    for (const kind of STEP_KINDS) {
      for (const state of ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"] as const) {
        const decision = reported(givenTask({ kind }), report("PAYMENT", state));
        expect(decision.events).toEqual([]);
        const change = { id: "run-1", state, verdict: null, result: null, error: null };
        expect(decision.runs).toEqual([change]);
      }
    }
    expect(REPORT_EFFECTS.PAYMENT).toBeNull();
  });

  test("on a step of another stage changes the run, with an event only if the label depends on it", () => {
    const scoring = reported(givenTask({ kind: "delivery" }), report("POST_QA_SCORING", "RUNNING"));
    expect(scoring.events).toEqual([]);
    const checking = reported(
      givenTask({ kind: "authoring" }),
      report("QUALITY_AUTOMATION", "RUNNING"),
    );
    expect(typesAndStatuses(checking)).toEqual(["worker_run_changed queued"]);
  });

  test("follows the transition tables, for every stage and status", () => {
    for (const [type, kind] of [
      ["QUALITY_AUTOMATION", "pre_qa"],
      ["OUTPUT_GENERATION", "output_generation"],
      ["POST_QA_SCORING", "calibration"],
    ] as const satisfies readonly (readonly [WorkerType, StepKind])[]) {
      for (const status of STEP_STATUSES) {
        const { events } = reported(givenTask({ kind, status }), report(type, "RUNNING"));
        const moved = events.some((event) => event.type === "step_transitioned");
        expect(moved, `${kind} ${status}`).toBe(status === "queued");
      }
    }
  });

  test("of a scoring run writes its event even if the step does not move", () => {
    const task = givenTask({ kind: "calibration", status: "running" });
    const { events } = reported(task, report("POST_QA_SCORING", "RUNNING"));
    expect(events.map(({ type }) => type)).toEqual(["worker_run_changed"]);
  });

  test("of a scoring run on a step of another stage changes only the run", () => {
    const task = givenTask({ kind: "pre_qa", status: "running" });
    expect(reported(task, report("POST_QA_SCORING", "RUNNING")).events).toEqual([]);
  });
});

describe("a cumulative report", () => {
  test("of success on a queued check records the start, then the verdict, then the approval", () => {
    const task = givenTask({ kind: "pre_qa", status: "queued" });
    const decision = reported(
      task,
      report("QUALITY_AUTOMATION", "SUCCEEDED", { verdict: "passed" }),
    );
    expect(typesAndStatuses(decision)).toEqual([
      "worker_run_changed queued",
      "step_transitioned running",
      "review_recorded running",
      "step_transitioned approved",
    ]);
  });

  test("of failure on a queued step records the start first", () => {
    const task = givenTask({ kind: "output_generation", status: "queued" });
    expect(typesAndStatuses(reported(task, report("OUTPUT_GENERATION", "FAILED")))).toEqual([
      "worker_run_changed queued",
      "step_transitioned running",
      "step_transitioned failed",
    ]);
  });

  test("of a cancellation records no start", () => {
    const task = givenTask({ kind: "output_generation", status: "queued" });
    expect(typesAndStatuses(reported(task, report("OUTPUT_GENERATION", "CANCELLED")))).toEqual([
      "worker_run_changed queued",
      "step_transitioned failed",
    ]);
  });

  test("of a failed score records the start, the verdict, and that a reviewer has to decide", () => {
    const task = givenTask({ kind: "calibration", status: "queued" });
    const decision = reported(task, report("POST_QA_SCORING", "SUCCEEDED", { verdict: "failed" }));
    expect(typesAndStatuses(decision)).toEqual([
      "worker_run_changed queued",
      "step_transitioned running",
      "review_recorded running",
      "step_transitioned awaiting_review",
    ]);
    const after = apply(task, decision, minute(1));
    expect(attentionOf(factsOf(after))).toEqual(["standing_failure"]);
    expect(resolve(factsOf(after))).toBe("PASSED");
  });

  test("of a scoring run changes the run and moves its step", () => {
    const task = givenTask({ kind: "calibration", status: "queued" });
    expect(typesAndStatuses(reported(task, report("POST_QA_SCORING", "SUCCEEDED")))).toEqual([
      "worker_run_changed queued",
      "step_transitioned running",
      "step_transitioned approved",
    ]);
  });
});

describe("a verdict", () => {
  test("records an automated review of the step, with the task's next sequence", () => {
    const task = givenTask({ kind: "pre_qa", status: "running", reviews: ["passed"] });
    const { reviews } = reported(
      task,
      report("QUALITY_AUTOMATION", "SUCCEEDED", { was: "RUNNING", verdict: "failed" }),
    );
    expect(reviews).toEqual([
      {
        id: "new-1",
        versionId: "version-1",
        stepId: "step-1",
        kind: "automated",
        outcome: "failed",
        sequence: 2,
        notes: null,
      },
    ]);
  });

  test("is recorded even if the transition is not allowed", () => {
    for (const status of STEP_STATUSES) {
      const decision = reported(
        givenTask({ kind: "pre_qa", status }),
        report("QUALITY_AUTOMATION", "SUCCEEDED", { was: "RUNNING", verdict: "failed" }),
      );
      expect(decision.reviews).toHaveLength(1);
      expect(decision.events.filter(({ type }) => type === "review_recorded")).toHaveLength(1);
    }
  });

  test("is recorded even if a manually blocked gate prevents the approval", () => {
    const task = givenTask({ kind: "pre_qa", status: "running", gate: "blocked" });
    const decision = reported(
      task,
      report("QUALITY_AUTOMATION", "SUCCEEDED", { was: "RUNNING", verdict: "passed" }),
    );
    expect(typesAndStatuses(decision)).toEqual([
      "worker_run_changed running",
      "review_recorded running",
    ]);
  });

  test("is recorded on a step of another stage too, without moving it", () => {
    const decision = reported(
      givenTask({ kind: "authoring", status: "running" }),
      report("QUALITY_AUTOMATION", "SUCCEEDED", { verdict: "failed" }),
    );
    expect(typesAndStatuses(decision)).toEqual([
      "worker_run_changed running",
      "review_recorded running",
    ]);
  });

  test("is optional if a scoring succeeds, and recorded if there is one", () => {
    const task = givenTask({ kind: "calibration", status: "running" });
    for (const verdict of [undefined, ...REVIEW_OUTCOMES]) {
      const more = { was: "RUNNING", ...(verdict && { verdict }) } as const;
      const { reviews } = reported(task, report("POST_QA_SCORING", "SUCCEEDED", more));
      expect(reviews.map(({ kind, outcome }) => [kind, outcome])).toEqual(
        verdict === undefined ? [] : [["automated", verdict]],
      );
    }
  });

  test.each([
    ["QUALITY_AUTOMATION", "pre_qa", "passed", "approved"],
    ["POST_QA_SCORING", "calibration", undefined, "awaiting_review"],
    ["POST_QA_SCORING", "calibration", "passed", "approved"],
    ["OUTPUT_GENERATION", "output_generation", undefined, "running"],
  ] as const)(
    "is needed to approve against a failed review: %s on %s with %s leads to %s",
    (type, kind, verdict, status) => {
      const task = givenTask({ kind, status: "running", reviews: ["failed"] });
      const more = { was: "RUNNING", ...(verdict && { verdict }) } as const;
      const decision = reported(task, report(type, "SUCCEEDED", more));
      expect(apply(task, decision, minute(1)).step.status).toBe(status);
    },
  );

  test("is required if a check succeeds", () => {
    const refusal = expectRefusal(
      givenTask({ kind: "pre_qa", status: "running" }),
      report("QUALITY_AUTOMATION", "SUCCEEDED"),
      "validation_failed",
      "service",
    );
    expect(refusal.issues).toMatchObject([{ path: ["verdict"], code: "required" }]);
  });

  test.each([
    ["QUALITY_AUTOMATION", "FAILED"],
    ["QUALITY_AUTOMATION", "RUNNING"],
    ["OUTPUT_GENERATION", "SUCCEEDED"],
    ["EXPERT_REVIEW", "SUCCEEDED"],
    ["PAYMENT", "SUCCEEDED"],
    ["POST_QA_SCORING", "FAILED"],
    ["POST_QA_SCORING", "CANCELLED"],
    ["POST_QA_SCORING", "RUNNING"],
  ] as const)("is refused with %s %s", (type, state) => {
    const refusal = expectRefusal(
      givenTask(),
      report(type, state, { verdict: "passed" }),
      "validation_failed",
      "service",
    );
    expect(refusal.issues).toMatchObject([{ path: ["verdict"], code: "not_applicable" }]);
  });
});

describe("a report that moves nothing", () => {
  const task = givenTask({ kind: "output_generation", status: "running" });

  test("about an earlier step changes only the run", () => {
    const decision = reported(
      task,
      report("OUTPUT_GENERATION", "SUCCEEDED", { stepId: "earlier-1" }),
    );
    expect(decision).toMatchObject({ events: [], reviews: [], dispatches: [] });
    expect(decision.runs[0]?.state).toBe("SUCCEEDED");
  });

  test("of a check about an earlier step records no review", () => {
    const decision = reported(
      task,
      report("QUALITY_AUTOMATION", "SUCCEEDED", { stepId: "earlier-1", verdict: "failed" }),
    );
    expect(decision).toMatchObject({ events: [], reviews: [] });
  });

  test("that repeats the run's state writes no event", () => {
    for (const state of ["QUEUED", "RUNNING"] as const) {
      const decision = reported(task, report("OUTPUT_GENERATION", state, { was: state }));
      expect(decision.events).toEqual([]);
      expect(decision.runs[0]?.state).toBe(state);
    }
  });

  test("is still applied to an archived task", () => {
    const archived = givenTask({ kind: "output_generation", status: "running", archived: true });
    const decision = reported(
      archived,
      report("OUTPUT_GENERATION", "SUCCEEDED", { was: "RUNNING" }),
    );
    expect(decision.events.at(-1)?.toStatus).toBe("approved" satisfies StepStatus);
  });
});

describe("a run that was offered", () => {
  const task = givenTask({ kind: "output_generation", status: "queued" });
  const worker = actor("service");
  const leases = { "no one": null, "the reporter": worker.id, "another worker": "id-of-another" };
  const attempts = { omitted: undefined, current: 2, earlier: 1 };

  /** Every combination of a run's offer, lease and state with the attempt that a report names. */
  const cases = [true, false].flatMap((offered) =>
    Object.entries(leases).flatMap(([holder, heldBy]) =>
      Object.entries(attempts).flatMap(([reportedAttempt, attempt]) =>
        RUN_STATES.map((was) => ({ offered, holder, heldBy, reportedAttempt, attempt, was })),
      ),
    ),
  );

  test.each(cases)(
    "accepts a report unless its lease is lost: offered $offered, leased to $holder, attempt $reportedAttempt, $was",
    ({ offered, heldBy, attempt, was, reportedAttempt, holder }) => {
      const claim = { attempt: 2, offered, claimed: false, heldBy };
      const more = { was, ...(attempt && { attempt }), claim };
      const command = report("OUTPUT_GENERATION", "FAILED", more);
      const hasStarted = was !== "QUEUED";
      if (reportedAttempt !== "earlier" && (!offered || hasStarted || holder === "the reporter")) {
        // The report has the same effect as one on a run without a lease.
        const unleased = { ...claim, offered: false, heldBy: null };
        const plain = report("OUTPUT_GENERATION", "FAILED", { ...more, claim: unleased });
        expect(reported(task, command)).toEqual(reported(task, plain));
      } else {
        expectRefusal(task, command, "lease_lost", "service");
      }
    },
  );

  test.each(cases.filter(({ reportedAttempt }) => reportedAttempt === "omitted"))(
    "can be failed by the system, regardless of the lease: offered $offered, leased to $holder, $was",
    ({ offered, heldBy, was }) => {
      const system = { ...worker, id: "system", kind: "system" } as const;
      const claim = { attempt: 2, offered, claimed: true, heldBy };
      const outcome = decide(task, report("OUTPUT_GENERATION", "FAILED", { was, claim }), {
        ...context("service"),
        actor: system,
      });
      expect(outcome.ok).toBe(true);
    },
  );

  test("stays queued if its holder reports that it has not started", () => {
    const claim = { attempt: 1, offered: true, claimed: true, heldBy: worker.id };
    const decision = reported(task, report("OUTPUT_GENERATION", "QUEUED", { claim, attempt: 1 }));
    expect(decision.events).toEqual([]);
    expect(decision.runs).toMatchObject([{ state: "QUEUED" }]);
  });
});

describe("a run that was claimed", () => {
  const claim = { attempt: 2, offered: true, claimed: true, heldBy: actor("service").id };
  const task = givenTask({ kind: "output_generation", status: "queued" });

  test.each(RUN_STATES.flatMap((was) => RUN_STATES.map((state) => ({ was, state }))))(
    "requires the attempt of every report, before anything else is checked: $was, reported as $state",
    ({ was, state }) => {
      for (const holder of [claim, { ...claim, heldBy: null }, { ...claim, heldBy: "another" }]) {
        const command = report("OUTPUT_GENERATION", state, { was, claim: holder });
        const { issues } = expectRefusal(task, command, "validation_failed", "service");
        expect(issues).toMatchObject([{ path: ["attempt"], code: "required" }]);
      }
    },
  );

  test("accepts a report of its attempt only", () => {
    for (const attempt of [1, 2, 3]) {
      const command = report("OUTPUT_GENERATION", "RUNNING", { claim, attempt });
      if (attempt === 2) expect(reported(task, command).events).toHaveLength(2);
      else expectRefusal(task, command, "lease_lost", "service");
    }
  });
});

describe("a report on a run that has ended", () => {
  const task = givenTask({ kind: "pre_qa", status: "awaiting_review", reviews: ["failed"] });
  const ends = [
    {
      was: "SUCCEEDED",
      verdict: "failed",
      result: { score: 0.2, by: [1, { a: null }] },
      error: null,
    },
    { was: "SUCCEEDED", verdict: "passed", result: null, error: null },
    { was: "FAILED", verdict: null, result: null, error: "Out of memory" },
    { was: "CANCELLED", verdict: null, result: null, error: null },
  ] as const;
  const cases = ends.flatMap(({ was, ...ended }) =>
    RUN_STATES.flatMap((state) =>
      [undefined, null, { by: [1, { a: null }], score: 0.2 }, { score: 0.2 }].flatMap((result) =>
        [undefined, "Out of memory", "Another error"].map((error) => ({
          was,
          ended,
          state,
          result,
          error,
        })),
      ),
    ),
  );

  /** Whether a value is left out, or is the one that the run ended with. Members can come in any order. */
  const isSaid = (value: unknown, known: unknown) =>
    value === undefined || value === null || stringify(value) === stringify(known);

  test("is kept whole unless it repeats how the run ended, and changes nothing", () => {
    const outcomes = { kept: 0, repeated: 0 };
    for (const { was, ended, state, result, error } of cases) {
      for (const verdict of state === "SUCCEEDED" ? (["passed", "failed"] as const) : [undefined]) {
        const more = {
          was,
          ended,
          ...(verdict && { verdict }),
          ...(result !== undefined && { result }),
          ...(error !== undefined && { error }),
        };
        const decision = reported(task, report("QUALITY_AUTOMATION", state, more));
        const isRepeat =
          state === was &&
          isSaid(verdict, ended.verdict) &&
          isSaid(result, ended.result) &&
          isSaid(error, ended.error);
        outcomes[isRepeat ? "repeated" : "kept"] += 1;
        const { lateReport, keptAside, ...changes } = decision;
        expect(changes).toMatchObject({ events: [], runs: [], reviews: [], dispatches: [] });
        if (isRepeat) {
          expect([lateReport, keptAside]).toEqual([null, null]);
        } else {
          expect(lateReport).toEqual({
            id: "new-1",
            runId: "run-1",
            state,
            verdict: verdict ?? null,
            result: result ?? null,
            error: error ?? null,
            attempt: null,
          });
          expect(keptAside).toMatchObject({ reason: "run_ended" });
        }
      }
    }
    expect(outcomes.repeated).toBeGreaterThan(5);
    expect(outcomes.kept).toBeGreaterThan(100);
  });

  test("names its attempt", () => {
    const claim = { attempt: 2, offered: true, claimed: true, heldBy: null };
    const late = report("QUALITY_AUTOMATION", "FAILED", { was: "SUCCEEDED", claim, attempt: 2 });
    expect(reported(task, late).lateReport).toMatchObject({ attempt: 2 });
  });
});

describe("the answer to a report says what was only recorded", () => {
  const asideOf = (task: TaskSnapshot, command: ReportCommand) =>
    reported(task, command).keptAside?.reason ?? null;

  test("if the task has left the run's step", () => {
    const task = givenTask({ kind: "expert_review", status: "queued" });
    const elsewhere = { stepId: "earlier-1" };
    expect(asideOf(task, report("OUTPUT_GENERATION", "SUCCEEDED", elsewhere))).toBe("step_left");
    expect(asideOf(task, report("PAYMENT", "SUCCEEDED", elsewhere))).toBeNull();
  });

  test.each(STEP_STATUSES)("if the step cannot become approved: %s", (status) => {
    const task = givenTask({ kind: "output_generation", status });
    const command = report("OUTPUT_GENERATION", "SUCCEEDED", { was: "RUNNING" });
    const isMoved = reported(task, command).events.some(({ toStatus }) => toStatus === "approved");
    const reason = status === "paused" ? "deferred" : "move_refused";
    expect(asideOf(task, command)).toBe(isMoved ? null : reason);
  });

  test("if the step is held", () => {
    const task = givenTask({ kind: "output_generation", status: "running", heldGate: "pending" });
    const command = report("OUTPUT_GENERATION", "SUCCEEDED", { was: "RUNNING" });
    expect(asideOf(task, command)).toBe("deferred");
  });
});

test("a report that moves a run back is refused with the states that may follow", () => {
  const refusal = expectRefusal(
    givenTask(),
    report("OUTPUT_GENERATION", "QUEUED", { was: "RUNNING" }),
    "invalid_transition",
    "service",
  );
  expect(refusal).toMatchObject({
    from: "RUNNING",
    to: "QUEUED",
    allowed: ["SUCCEEDED", "FAILED", "CANCELLED"],
  });
});

test("only the service and admins can report a run", () => {
  const refusal = expectRefusal(givenTask(), report("PAYMENT", "RUNNING"), "forbidden", "reviewer");
  expect(refusal.required).toBe("admin");
});
