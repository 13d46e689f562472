import { expect, it } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { advances, beginStory, moves, reviews, reworks } from "./support.ts";

it("accepts a task, revokes it, accepts it again, and opens a revised version", async () => {
  const api = await freshApi();
  const start = { kind: "expert_review", status: "awaiting_review", reason: "Made elsewhere" };
  const story = await beginStory(
    api,
    { title: "What is the chance of rain?", start },
    { label: "IN_REVIEW", step: "expert_review 1 awaiting_review awaiting_review" },
    "reviewer",
  );

  await story.expectAfter(
    reviews(story, "reviewer", { kind: "expert", outcome: "passed", move: { status: "approved" } }),
    { label: "PASSED", attention: ["ready"], step: "expert_review 1 approved passed" },
  );
  expect(await payments(api)).toEqual(["sent"]);

  // The approval was a mistake. Revoking it recalls the payment, which was not paid yet.
  await story.expectAfter(
    moves(story, "reviewer", "changes_requested", { reason: "The forecast is of another day" }),
    {
      label: "CHANGES_REQUESTED",
      attention: ["revoked"],
      step: "expert_review 1 changes_requested revoked",
    },
  );
  expect(await payments(api)).toEqual(["recalled"]);

  await story.expectAfter(moves(story, "reviewer", "approved", { reason: "It is the right day" }), {
    label: "PASSED",
    attention: ["ready"],
    step: "expert_review 1 approved passed",
  });
  expect(await payments(api)).toEqual(["recalled", "sent"]);

  await story.expectAfter(advances(story, "operator"), {
    label: "PASSED",
    step: "calibration 1 queued locked",
  });

  // Rework opens a new attempt and closes the open step. The payment stays.
  await story.expectAfter(reworks(story, "operator", "expert_review", "Calibration disagrees"), {
    label: "SUBMITTED",
    step: "expert_review 2 queued locked",
  });
  expect(await payments(api)).toEqual(["recalled", "sent"]);
  await story.expectAfter(moves(story, "operator", "in_review"), {
    label: "IN_REVIEW",
    step: "expert_review 2 in_review evaluating",
  });
  await story.expectAfter(
    reviews(story, "reviewer", { kind: "expert", outcome: "passed", move: { status: "approved" } }),
    { label: "PASSED", attention: ["ready"], step: "expert_review 2 approved passed" },
  );
  // A version is paid for once, no matter how often it is approved.
  expect(await payments(api)).toEqual(["recalled", "sent"]);

  // The content is revised. The accepted version is sealed and keeps its verdicts.
  await story.expectAfter(
    {
      // A new version takes back a delivery or an acceptance, so it needs a reviewer.
      as: "reviewer",
      method: "POST",
      path: `/tasks/${story.task().id}/versions`,
      body: {
        content: { brief: "What is the chance of rain tomorrow?" },
        reason: "The question left out the day",
        firstKind: "pre_qa",
      },
    },
    { label: "CHECKING_QUALITY", step: "pre_qa 1 queued locked" },
  );
  expect(story.task().activeVersion.number).toBe(2);

  await story.expectHistory(
    "task_created",
    "review_recorded, step_transitioned",
    "step_transitioned",
    "step_transitioned",
    "step_advanced",
    "gate_changed, step_reworked",
    "step_transitioned",
    "review_recorded, step_transitioned",
    "version_created",
  );
  const steps = await api.call<{ data: TaskView["currentStep"][] }>(
    "GET",
    `/tasks/${story.task().id}/steps`,
  );
  expect(
    steps.body.data.map(({ kind, attempt, status, gate }) => [kind, attempt, status, gate]),
  ).toEqual([
    ["expert_review", 1, "approved", "revoked"],
    ["calibration", 1, "queued", "locked"],
    ["expert_review", 2, "approved", "passed"],
    ["pre_qa", 1, "queued", "locked"],
  ]);
});

/** Returns the state of each requested payment, oldest first. */
async function payments(api: TestApi): Promise<(string | null | undefined)[]> {
  const rows = await api.database.query(
    "superuser",
    "select state from pipeline_dispatches where pipeline = 'payment' order by created_at, id",
  );
  return rows.map(({ state }) => state);
}
