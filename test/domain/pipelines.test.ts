import { describe, expect, test } from "vitest";
import { BULK_TARGETS, PIPELINES_ON_TARGET } from "../../src/domain/bulk/matrix.ts";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import {
  PIPELINES_ON_ENTRY,
  pipelinesAttachedTo,
  runsAttachedByDefault,
} from "../../src/domain/lifecycle/attached.ts";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { STEP_KINDS, STEP_STATUSES, WORKER_TYPES } from "../../src/domain/lifecycle/statuses.ts";
import { allowedNext } from "../../src/domain/lifecycle/transitions.ts";
import {
  PIPELINE_NAMES,
  PIPELINES,
  PIPELINES_OF_VERSION,
} from "../../src/domain/pipelines/pipelines.ts";
import { expectDecision, givenTask } from "./support/world.ts";

const runAttachedWorkflows = true;
const AT = "2026-01-01T00:00:00Z";
const attachedBy = (task: ReturnType<typeof givenTask>, command: Command): string[] =>
  expectDecision(task, command).dispatches.map(({ pipeline }) => pipeline);

describe("pipelines", () => {
  test("are attached to exactly four pairs of stage and status", () => {
    const attached = STEP_KINDS.flatMap((kind) =>
      STEP_STATUSES.flatMap((status) =>
        pipelinesAttachedTo({ kind, status }).map((pipeline) => `${kind}/${status}: ${pipeline}`),
      ),
    );
    expect(attached).toEqual([
      "pre_qa/queued: quality_automation",
      "output_generation/queued: output_generation",
      "expert_review/approved: payment",
      "calibration/queued: post_qa_scoring",
    ]);
  });

  test("are attached to exactly two bulk targets", () => {
    expect(BULK_TARGETS.map((target) => PIPELINES_ON_TARGET[target])).toEqual([
      ["output_generation"],
      [],
      [],
      ["payment"],
      [],
      [],
    ]);
  });
});

describe.each(PIPELINE_NAMES)("the row of %s in PIPELINES", (pipeline) => {
  const { worker, scope, attachedTo } = PIPELINES[pipeline];

  test("names a worker type that no other pipeline uses", () => {
    expect(WORKER_TYPES).toContain(worker);
    const users = PIPELINE_NAMES.filter((name) => PIPELINES[name].worker === worker);
    expect(users).toEqual([pipeline]);
  });

  test("attaches it to its step, and to nothing else", () => {
    const positions = STEP_KINDS.flatMap((kind) =>
      STEP_STATUSES.map((status) => ({ kind, status })),
    );
    const attaching = positions.filter((position) =>
      pipelinesAttachedTo(position).includes(pipeline),
    );
    expect(attaching).toEqual([attachedTo]);
    expect(PIPELINES_ON_ENTRY.filter((row) => row.pipeline === pipeline)).toEqual([
      { ...attachedTo, pipeline },
    ]);
  });

  test("dispatches it on a transition to its status", () => {
    const { kind, status } = attachedTo;
    const from = STEP_STATUSES.find((other) => allowedNext(kind, other).includes(status));
    const task = givenTask({ kind, status: from ?? "pending" });
    expect(attachedBy(task, { type: "transition", status, runAttachedWorkflows })).toEqual([
      pipeline,
    ]);
  });

  test("keeps its dispatch across steps only if its scope is the version", () => {
    const dispatched = givenTask({ ...attachedTo, alreadyDispatched: [pipeline] });
    const after = (command: Command) =>
      apply(dispatched, expectDecision(dispatched, command), AT).alreadyDispatched;
    const rework = { type: "rework", toKind: "ingestion", reason: "r" } as const;
    expect(after({ ...rework, runAttachedWorkflows: false })).toEqual(
      scope === "version" ? [pipeline] : [],
    );
    const version = { type: "version", content: {}, contentHash: "", reason: "r" } as const;
    expect(after({ ...version, runAttachedWorkflows: false })).toEqual([]);
    expect(PIPELINES_OF_VERSION.includes(pipeline)).toBe(scope === "version");
  });
});

describe("a step that enters such a status dispatches its pipeline", () => {
  test("on a transition", () => {
    const failed = givenTask({ kind: "output_generation", status: "failed" });
    expect(
      attachedBy(failed, { type: "transition", status: "queued", runAttachedWorkflows }),
    ).toEqual(["output_generation"]);
  });

  test("on an approval of the expert review", () => {
    const reviewed = givenTask({ kind: "expert_review", status: "in_review" });
    const command = { type: "transition", status: "approved", runAttachedWorkflows } as const;
    expect(expectDecision(reviewed, command).dispatches).toEqual([
      { id: "new-1", pipeline: "payment", stepId: "step-1", versionId: "version-1" },
    ]);
  });

  test("on the move that a review carries", () => {
    const reviewed = givenTask({ kind: "expert_review", status: "in_review" });
    const move = { status: "approved", runAttachedWorkflows } as const;
    expect(
      attachedBy(reviewed, { type: "review", kind: "expert", outcome: "passed", move }),
    ).toEqual(["payment"]);
  });

  test("on an advance, for the step that it opens", () => {
    const approved = givenTask({ kind: "authoring", status: "approved" });
    const { dispatches, step } = expectDecision(approved, {
      type: "advance",
      runAttachedWorkflows,
    });
    expect(dispatches).toMatchObject([{ pipeline: "quality_automation", stepId: step?.id }]);
  });

  test("on rework", () => {
    const task = givenTask({ kind: "delivery" });
    const command = {
      type: "rework",
      toKind: "calibration",
      reason: "r",
      runAttachedWorkflows,
    } as const;
    expect(attachedBy(task, command)).toEqual(["post_qa_scoring"]);
  });

  test("on a new version that starts with the quality check", () => {
    const command = {
      type: "version",
      content: {},
      contentHash: "",
      reason: "r",
      firstKind: "pre_qa",
      runAttachedWorkflows,
    } as const;
    const { dispatches, version } = expectDecision(givenTask(), command);
    expect(dispatches).toMatchObject([{ pipeline: "quality_automation", versionId: version?.id }]);
  });

  test("at the end of a hold", () => {
    const held = givenTask({ kind: "calibration", status: "pending" });
    expect(
      attachedBy(held, { type: "transition", status: "queued", runAttachedWorkflows }),
    ).toEqual(["post_qa_scoring"]);
  });

  test("but not if the call does not ask for pipelines", () => {
    const approved = givenTask({ kind: "authoring", status: "approved" });
    expect(attachedBy(approved, { type: "advance", runAttachedWorkflows: false })).toEqual([]);
  });

  test("but not if only its gate changes", () => {
    const queued = givenTask({ kind: "pre_qa", status: "queued" });
    expect(attachedBy(queued, { type: "gate", gate: "blocked", reason: "wait" })).toEqual([]);
  });
});

test("runs pipelines by default only for a person's call on one task", () => {
  expect(runsAttachedByDefault({ role: "operator", tasks: "one" })).toBe(true);
  expect(runsAttachedByDefault({ role: "admin", tasks: "one" })).toBe(true);
  expect(runsAttachedByDefault({ role: "service", tasks: "one" })).toBe(false);
  expect(runsAttachedByDefault({ role: "admin", tasks: "many" })).toBe(false);
  expect(runsAttachedByDefault({ role: "service", tasks: "many" })).toBe(false);
});
