import { expect, it } from "vitest";
import { freshApi } from "../support/api.ts";
import { advances, beginStory, moves, reports } from "./support.ts";

it("generates an output on the third attempt after two failures", async () => {
  const api = await freshApi();
  const start = { kind: "pre_qa", status: "approved", reason: "Checked elsewhere" };
  const story = await beginStory(
    api,
    { title: "Which number comes next?", start },
    { label: "READY_TO_SUBMIT", attention: ["ready"], step: "pre_qa 1 approved passed" },
    "reviewer",
  );

  // The worker polls for runs, so the calls dispatch no pipeline.
  const withoutWorkflows = { runAttachedWorkflows: false };
  await story.expectAfter(advances(story, "operator", withoutWorkflows), {
    label: "SUBMITTED",
    step: "output_generation 1 queued locked",
  });
  const crashed = await story.expectRun("OUTPUT_GENERATION");
  await story.expectAfter(reports(crashed, { state: "RUNNING" }), {
    label: "GENERATING_OUTPUT",
    step: "output_generation 1 running pending",
  });
  await story.expectAfter(reports(crashed, { state: "FAILED", error: "Out of memory" }), {
    label: "OUTPUT_FAILED",
    attention: ["errored"],
    step: "output_generation 1 failed errored",
  });

  // The worker reports success too late. The run keeps the report, and the task does not move.
  const late = await api.call("PATCH", `/worker-runs/${crashed}`, {
    as: "service",
    body: { state: "SUCCEEDED" },
  });
  expect(late.body).toMatchObject({ events: [], task: { unifiedStatus: "OUTPUT_FAILED" } });

  const retry = { reason: "With more memory", ...withoutWorkflows };
  await story.expectAfter(moves(story, "operator", "queued", retry), {
    label: "SUBMITTED",
    step: "output_generation 1 queued locked",
  });
  const neverStarted = await story.expectRun("OUTPUT_GENERATION");
  await story.expectAfter(reports(neverStarted, { state: "CANCELLED" }), {
    label: "OUTPUT_FAILED",
    attention: ["errored"],
    step: "output_generation 1 failed errored",
  });

  // A bulk change puts the failed task back in the queue, and dispatches only because the caller asks for it.
  const retried = await api.call("POST", "/bulk/execute", {
    as: "reviewer",
    idempotencyKey: "the-night-shift",
    body: {
      taskIds: [story.task().id],
      targetStatus: "SUBMITTED",
      reason: "The machines are back",
      runAttachedWorkflows: true,
    },
  });
  expect(retried.body).toMatchObject({
    state: "completed",
    dispatched: 1,
    items: [{ outcome: "changed", from: "OUTPUT_FAILED", to: "SUBMITTED" }],
  });

  await story.expectNow({ label: "SUBMITTED", step: "output_generation 1 queued locked" });

  const third = await story.expectRun("OUTPUT_GENERATION");
  await story.expectAfter(reports(third, { state: "RUNNING" }), {
    label: "GENERATING_OUTPUT",
    step: "output_generation 1 running pending",
  });
  await story.expectAfter(reports(third, { state: "SUCCEEDED" }), {
    label: "SUBMITTED",
    attention: ["ready"],
    step: "output_generation 1 approved passed",
  });
  await story.expectAfter(advances(story, "operator", { hold: true }), {
    label: "SUBMITTED",
    step: "expert_review 1 pending locked",
  });

  await story.expectHistory(
    "task_created",
    "step_advanced",
    "worker_run_changed, step_transitioned",
    "worker_run_changed, step_transitioned",
    "step_transitioned",
    "worker_run_changed, step_transitioned",
    "bulk_transitioned",
    "worker_run_changed, step_transitioned",
    "worker_run_changed, step_transitioned",
    "step_advanced",
  );
});
