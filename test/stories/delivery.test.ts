import { expect, it } from "vitest";
import { freshApi } from "../support/api.ts";
import { advances, beginStory, moves, reports, reviews } from "./support.ts";

it("takes a task through every stage to delivery", async () => {
  const api = await freshApi();
  const story = await beginStory(
    api,
    { title: "How many clips did she sell?", externalId: "clips-1", assignee: "the writers" },
    { label: "DRAFT", step: "ingestion 1 queued locked" },
  );

  await story.expectAfter(moves(story, "operator", "running"), {
    label: "DRAFT",
    step: "ingestion 1 running pending",
  });
  await story.expectAfter(moves(story, "operator", "awaiting_review"), {
    label: "DRAFT",
    step: "ingestion 1 awaiting_review awaiting_review",
  });
  await story.expectAfter(moves(story, "operator", "approved"), {
    label: "DRAFT",
    attention: ["ready"],
    step: "ingestion 1 approved passed",
  });

  await story.expectAfter(advances(story, "operator"), {
    label: "DRAFT",
    step: "authoring 1 queued locked",
  });
  await story.expectAfter(moves(story, "operator", "running"), {
    label: "DRAFT",
    step: "authoring 1 running pending",
  });
  await story.expectAfter(moves(story, "operator", "awaiting_review"), {
    label: "DRAFT",
    step: "authoring 1 awaiting_review awaiting_review",
  });
  await story.expectAfter(moves(story, "operator", "in_review"), {
    label: "DRAFT",
    step: "authoring 1 in_review evaluating",
  });
  await story.expectAfter(moves(story, "operator", "approved", { reason: "Reads well" }), {
    label: "DRAFT",
    attention: ["ready"],
    step: "authoring 1 approved passed",
  });

  await story.expectAfter(advances(story, "operator"), {
    label: "CHECKING_QUALITY",
    step: "pre_qa 1 queued locked",
  });
  const check = await story.expectRun("QUALITY_AUTOMATION");
  await story.expectAfter(reports(check, { state: "RUNNING" }), {
    label: "CHECKING_QUALITY",
    step: "pre_qa 1 running pending",
  });
  await story.expectAfter(reports(check, { state: "SUCCEEDED", verdict: "passed" }), {
    label: "READY_TO_SUBMIT",
    attention: ["ready"],
    step: "pre_qa 1 approved passed",
  });

  await story.expectAfter(advances(story, "operator"), {
    label: "SUBMITTED",
    step: "output_generation 1 queued locked",
  });
  const generation = await story.expectRun("OUTPUT_GENERATION");
  await story.expectAfter(reports(generation, { state: "RUNNING" }), {
    label: "GENERATING_OUTPUT",
    step: "output_generation 1 running pending",
  });
  await story.expectAfter(reports(generation, { state: "SUCCEEDED", result: { tokens: 512 } }), {
    label: "SUBMITTED",
    attention: ["ready"],
    step: "output_generation 1 approved passed",
  });

  // The worker that generated the output may advance the task.
  await story.expectAfter(advances(story, "service"), {
    label: "SUBMITTED",
    step: "expert_review 1 queued locked",
  });
  const review = await story.expectRun("EXPERT_REVIEW");
  await story.expectAfter(reports(review, { state: "RUNNING" }), {
    label: "IN_REVIEW",
    step: "expert_review 1 in_review evaluating",
  });
  await story.expectAfter(
    reviews(story, "reviewer", {
      kind: "expert",
      outcome: "passed",
      notes: "Right, and well explained",
      move: { status: "approved" },
    }),
    { label: "PASSED", attention: ["ready"], step: "expert_review 1 approved passed" },
  );

  await story.expectAfter(advances(story, "operator"), {
    label: "PASSED",
    step: "calibration 1 queued locked",
  });
  const scoring = await story.expectRun("POST_QA_SCORING");
  await story.expectAfter(reports(scoring, { state: "SUCCEEDED" }), {
    label: "PASSED",
    attention: ["ready"],
    step: "calibration 1 approved passed",
  });

  await story.expectAfter(advances(story, "operator"), {
    label: "PASSED",
    step: "delivery 1 queued locked",
  });
  await story.expectAfter(moves(story, "operator", "running"), {
    label: "PASSED",
    step: "delivery 1 running pending",
  });
  await story.expectAfter(moves(story, "operator", "approved", { reason: "Handed over" }), {
    label: "DELIVERED",
    step: "delivery 1 approved passed",
  });
  const onward = await api.call("POST", `/tasks/${story.task().id}/advance`, { body: {} });
  expect(onward.body).toMatchObject({ error: "no_next_step", status: 409 });

  await story.expectHistory(
    "task_created",
    ...Array<string>(3).fill("step_transitioned"),
    "step_advanced",
    ...Array<string>(4).fill("step_transitioned"),
    "step_advanced",
    "worker_run_changed, step_transitioned",
    "worker_run_changed, review_recorded, step_transitioned",
    "step_advanced",
    "worker_run_changed, step_transitioned",
    "worker_run_changed, step_transitioned",
    "step_advanced",
    "worker_run_changed, step_transitioned",
    "review_recorded, step_transitioned",
    "step_advanced",
    // The run never reported RUNNING, so its success records both transitions.
    "worker_run_changed, step_transitioned, step_transitioned",
    "step_advanced",
    ...Array<string>(2).fill("step_transitioned"),
  );

  // Each advance by an operator dispatched one pipeline. The worker's own advance dispatched none.
  const dispatched = await api.database.query(
    "superuser",
    "select pipeline, state from pipeline_dispatches order by created_at, id",
  );
  expect(dispatched.map(({ pipeline }) => pipeline)).toEqual([
    "quality_automation",
    "output_generation",
    "payment",
    "post_qa_scoring",
  ]);
});
