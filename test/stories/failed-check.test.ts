import { expect, it } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { freshApi } from "../support/api.ts";
import { advances, beginStory, moves, reports, reviews, reworks } from "./support.ts";

it("passes a task's second quality check after the first one failed", async () => {
  const api = await freshApi();
  const start = { kind: "authoring", status: "approved", reason: "Written elsewhere" };
  const story = await beginStory(
    api,
    { title: "How far did the train go?", start },
    { label: "DRAFT", attention: ["ready"], step: "authoring 1 approved passed" },
    "reviewer",
  );

  await story.expectAfter(advances(story, "operator"), {
    label: "CHECKING_QUALITY",
    step: "pre_qa 1 queued locked",
  });
  const check = await story.expectRun("QUALITY_AUTOMATION");
  await story.expectAfter(reports(check, { state: "SUCCEEDED", verdict: "failed" }), {
    label: "QUALITY_CHECK_FAILED",
    step: "pre_qa 1 awaiting_review awaiting_review",
  });
  await story.expectAfter(
    {
      as: "operator",
      method: "POST",
      path: `/tasks/${story.task().id}/notes`,
      body: { text: "The distance is missing" },
    },
    {
      label: "QUALITY_CHECK_FAILED",
      step: "pre_qa 1 awaiting_review awaiting_review",
      keepsStatusSince: true,
    },
  );
  await story.expectAfter(
    reviews(story, "reviewer", {
      kind: "expert",
      outcome: "failed",
      notes: "It is indeed",
      move: { status: "changes_requested", reason: "Say how fast the train is" },
    }),
    { label: "QUALITY_CHECK_FAILED", step: "pre_qa 1 changes_requested failed" },
  );

  // The gate is closed, so an advance cannot bypass a failed check.
  const early = await api.call("POST", `/tasks/${story.task().id}/advance`, { body: {} });
  expect(early.body).toMatchObject({ error: "gate_closed", gate: "failed" });

  await story.expectAfter(reworks(story, "operator", "authoring", "Say how fast the train is"), {
    label: "DRAFT",
    step: "authoring 2 queued locked",
  });
  await story.expectAfter(moves(story, "operator", "running"), {
    label: "DRAFT",
    step: "authoring 2 running pending",
  });
  await story.expectAfter(moves(story, "operator", "approved"), {
    label: "DRAFT",
    attention: ["ready"],
    step: "authoring 2 approved passed",
  });
  await story.expectAfter(advances(story, "operator"), {
    label: "CHECKING_QUALITY",
    step: "pre_qa 2 queued locked",
  });
  const second = await story.expectRun("QUALITY_AUTOMATION");
  await story.expectAfter(reports(second, { state: "RUNNING" }), {
    label: "CHECKING_QUALITY",
    step: "pre_qa 2 running pending",
  });
  await story.expectAfter(reports(second, { state: "SUCCEEDED", verdict: "passed" }), {
    label: "READY_TO_SUBMIT",
    attention: ["ready"],
    step: "pre_qa 2 approved passed",
  });

  await story.expectHistory(
    "task_created",
    "step_advanced",
    "worker_run_changed, step_transitioned, review_recorded, step_transitioned",
    "note_added",
    "review_recorded, step_transitioned",
    // The rework revokes authoring's gate, which had passed.
    "gate_changed, step_reworked",
    "step_transitioned",
    "step_transitioned",
    "step_advanced",
    "worker_run_changed, step_transitioned",
    "worker_run_changed, review_recorded, step_transitioned",
  );
  const steps = await api.call<{ data: TaskView["currentStep"][] }>(
    "GET",
    `/tasks/${story.task().id}/steps`,
  );
  // Failed attempts remain readable.
  expect(
    steps.body.data.map(({ kind, attempt, status, gate }) => [kind, attempt, status, gate]),
  ).toEqual([
    ["authoring", 1, "approved", "revoked"],
    ["pre_qa", 1, "changes_requested", "failed"],
    ["authoring", 2, "approved", "passed"],
    ["pre_qa", 2, "approved", "passed"],
  ]);
});
