import { expect, it } from "vitest";
import { freshApi } from "../support/api.ts";
import { advances, beginStory, moves, reports } from "./support.ts";

it("an output fails twice, is tried again, and comes at last", async () => {
  const api = await freshApi();
  const start = { kind: "pre_qa", status: "approved", reason: "Checked elsewhere" };
  const story = await beginStory(
    api,
    { title: "Which number comes next?", start },
    { label: "READY_TO_SUBMIT", attention: ["ready"], step: "pre_qa 1 approved passed" },
    "reviewer",
  );

  // Its worker polls, so nobody asks for a pipeline.
  const unasked = { runAttachedWorkflows: false };
  await story.expectAfter(advances(story, "operator", unasked), {
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

  // The machine comes back and says that all went well: it is kept on its run, and moves nothing.
  const late = await api.call("PATCH", `/worker-runs/${crashed}`, {
    as: "service",
    body: { state: "SUCCEEDED" },
  });
  expect(late.body).toMatchObject({ events: [], task: { unifiedStatus: "OUTPUT_FAILED" } });

  const retry = { reason: "With more memory", ...unasked };
  await story.expectAfter(moves(story, "operator", "queued", retry), {
    label: "SUBMITTED",
    step: "output_generation 1 queued locked",
  });
  const neverBegun = await story.expectRun("OUTPUT_GENERATION");
  await story.expectAfter(reports(neverBegun, { state: "CANCELLED" }), {
    label: "OUTPUT_FAILED",
    attention: ["errored"],
    step: "output_generation 1 failed errored",
  });

  // Many outputs failed that night: one bulk change puts them all back, and runs nothing unless asked to.
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
