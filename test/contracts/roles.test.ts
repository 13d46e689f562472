import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import {
  contractOf,
  namesIn,
  SAMPLES,
  sendSample,
  titleOf,
  unknownThings,
} from "./support/samples.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const ADMINS: readonly Role[] = ["admin"];
const REVIEWERS: readonly Role[] = ["reviewer", ...ADMINS];
const OPERATORS: readonly Role[] = ["operator", ...REVIEWERS];
const EVERYBODY: readonly Role[] = ["viewer", ...OPERATORS, "service"];
const SERVICE: readonly Role[] = ["service"];
const andService = (roles: readonly Role[]): readonly Role[] => [...roles, ...SERVICE];

/** Who may call, written down from the table of roles and from nothing that the product computes. */
const MAY_CALL: Record<string, readonly Role[]> = {
  "POST /v1/tasks": OPERATORS,
  "POST /v1/tasks under an external id": OPERATORS,
  "POST /v1/tasks with a start": REVIEWERS,
  "POST /v1/tasks/import": OPERATORS,
  "POST /v1/tasks/import under an external id": OPERATORS,
  "POST /v1/tasks/import with a start": REVIEWERS,
  "GET /v1/tasks": EVERYBODY,
  "GET /v1/tasks by operation and external id": EVERYBODY,
  "GET /v1/tasks/counts": EVERYBODY,
  "GET /v1/tasks/counts by operation and external id": EVERYBODY,
  "GET /v1/tasks/ids": EVERYBODY,
  "GET /v1/tasks/ids by operation and external id": EVERYBODY,
  "POST /v1/tasks/lookup": EVERYBODY,
  "GET /v1/tasks/{taskId}": EVERYBODY,
  "GET /v1/tasks/{taskId} as it was": EVERYBODY,
  "PATCH /v1/tasks/{taskId}": OPERATORS,
  "POST /v1/tasks/{taskId}/archive": REVIEWERS,
  "POST /v1/tasks/{taskId}/restore": REVIEWERS,
  "POST /v1/tasks/{taskId}/notes": OPERATORS,
  "POST /v1/tasks/{taskId}/versions": OPERATORS,
  "GET /v1/tasks/{taskId}/versions": EVERYBODY,
  "GET /v1/tasks/{taskId}/versions/{number}": EVERYBODY,
  "GET /v1/tasks/{taskId}/versions/{number}/diff/{other}": EVERYBODY,
  "GET /v1/tasks/{taskId}/status": EVERYBODY,
  "GET /v1/tasks/{taskId}/status as it was": EVERYBODY,
  "GET /v1/tasks/{taskId}/timeline": EVERYBODY,
  "GET /v1/tasks/{taskId}/lineage": EVERYBODY,
  "GET /v1/tasks/{taskId}/lineage as it was": EVERYBODY,
  "GET /v1/tasks/{taskId}/events": EVERYBODY,
  "GET /v1/tasks/{taskId}/events/verify": EVERYBODY,
  "GET /v1/events": EVERYBODY,
  "GET /v1/events/stream": EVERYBODY,
  "GET /v1/tasks/export.csv": EVERYBODY,
  "GET /v1/tasks/export.csv by operation and external id": EVERYBODY,
  "GET /v1/tasks/export.ndjson": EVERYBODY,
  "GET /v1/tasks/export.ndjson by operation and external id": EVERYBODY,
  "GET /v1/events/export.csv": EVERYBODY,
  "GET /v1/events/export.csv of a task": EVERYBODY,
  "GET /v1/events/export.ndjson": EVERYBODY,
  "GET /v1/events/export.ndjson of a task": EVERYBODY,
  "GET /v1/trials/export.csv": EVERYBODY,
  "GET /v1/trials/export.csv of a task and an eval": EVERYBODY,
  "GET /v1/prompts/export.csv": EVERYBODY,
  "GET /v1/prompts/export.csv of a task, its version and step": EVERYBODY,
  "GET /v1/trials/export.ndjson": EVERYBODY,
  "GET /v1/trials/export.ndjson of a task and an eval": EVERYBODY,
  "GET /v1/prompts/export.ndjson": EVERYBODY,
  "GET /v1/prompts/export.ndjson of a task, its version and step": EVERYBODY,
  "GET /v1/tasks/{taskId}/steps": EVERYBODY,
  "GET /v1/steps/{stepId}": EVERYBODY,
  "GET /v1/steps/{stepId}/events": EVERYBODY,
  "PATCH /v1/steps/{stepId}": OPERATORS,
  "PATCH /v1/steps/{stepId} to duplicate": REVIEWERS,
  "PATCH /v1/steps/{stepId}/gate": OPERATORS,
  "POST /v1/steps/{stepId}/dispatch": OPERATORS,
  "POST /v1/tasks/{taskId}/advance": andService(OPERATORS),
  "POST /v1/tasks/{taskId}/rework": OPERATORS,
  "POST /v1/moves to a status": OPERATORS,
  "POST /v1/moves to an end": REVIEWERS,
  "POST /v1/moves onward": andService(OPERATORS),
  "POST /v1/moves back": OPERATORS,
  "POST /v1/tasks/{taskId}/reviews": andService(REVIEWERS),
  "POST /v1/tasks/{taskId}/reviews with a move": REVIEWERS,
  "GET /v1/tasks/{taskId}/reviews": EVERYBODY,
  "POST /v1/tasks/{taskId}/worker-runs": SERVICE,
  "POST /v1/worker-runs/claim": SERVICE,
  "PATCH /v1/worker-runs/{runId}": SERVICE,
  "GET /v1/worker-runs": EVERYBODY,
  "GET /v1/worker-runs by task and step": EVERYBODY,
  "POST /v1/bulk/preview": EVERYBODY,
  "POST /v1/bulk/preview of duplicates": EVERYBODY,
  "POST /v1/bulk/preview of a filter": EVERYBODY,
  "POST /v1/bulk/execute": REVIEWERS,
  "POST /v1/bulk/execute of duplicates": REVIEWERS,
  "POST /v1/bulk/execute of an action": REVIEWERS,
  "POST /v1/bulk/operations/{operationId}/cancel": REVIEWERS,
  "POST /v1/bulk/operations/{operationId}/retry-failed": REVIEWERS,
  "POST /v1/bulk/operations/{operationId}/revert": REVIEWERS,
  "GET /v1/analytics/events": EVERYBODY,
  "GET /v1/stats/outcomes": EVERYBODY,
  "GET /v1/stats/throughput": EVERYBODY,
  "GET /v1/stats/stage-times": EVERYBODY,
  "GET /v1/stats/failures": EVERYBODY,
  "GET /v1/bulk/operations": EVERYBODY,
  "GET /v1/bulk/operations/{operationId}": EVERYBODY,
  "GET /v1/bulk/operations/{operationId}/items": EVERYBODY,
  "POST /v1/tasks/{taskId}/evals": andService(OPERATORS),
  "GET /v1/evals": EVERYBODY,
  "GET /v1/evals by task": EVERYBODY,
  "GET /v1/evals/{evalId}": EVERYBODY,
  "PATCH /v1/evals/{evalId}": andService(OPERATORS),
  "GET /v1/evals/{evalId}/events": EVERYBODY,
  "GET /v1/evals/{evalId}/events/verify": EVERYBODY,
  "GET /v1/evals/{evalId}/trials": EVERYBODY,
  "POST /v1/evals/{evalId}/trials": andService(OPERATORS),
  "POST /v1/evals/{evalId}/trials of many trials": andService(OPERATORS),
  "PATCH /v1/trials/{trialId}": andService(OPERATORS),
  "POST /v1/trials/{trialId}/retract": OPERATORS,
  "POST /v1/evals/record": andService(OPERATORS),
  "GET /v1/evals/{evalId}/summary": EVERYBODY,
  "GET /v1/evals/summary": EVERYBODY,
  "GET /v1/evals/summary by operation and external id": EVERYBODY,
  "POST /v1/tasks/{taskId}/prompts": andService(OPERATORS),
  "GET /v1/prompts": EVERYBODY,
  "GET /v1/prompts by task, version and step": EVERYBODY,
  "POST /v1/tasks/{taskId}/data": andService(OPERATORS),
  "GET /v1/data": EVERYBODY,
  "GET /v1/data by task": EVERYBODY,
  "GET /v1/data/{dataId}": EVERYBODY,
  "PUT /v1/data/{dataId}/content": andService(OPERATORS),
  "GET /v1/data/{dataId}/content": EVERYBODY,
  "POST /v1/insights": SERVICE,
  "GET /v1/insights": EVERYBODY,
  "GET /v1/insights by task, eval and trial": EVERYBODY,
  "PATCH /v1/insights/{insightId}": SERVICE,
  "GET /v1/data/{dataId}/lineage": EVERYBODY,
  "GET /v1/pipelines": ADMINS,
  "PUT /v1/pipelines/{name}": ADMINS,
  "POST /v1/pipelines/{name}/rotate": ADMINS,
  "GET /v1/dispatches": EVERYBODY,
  "GET /v1/dispatches by task and operation": EVERYBODY,
  "GET /v1/dispatches/{dispatchId}": EVERYBODY,
  "POST /v1/dispatches/{dispatchId}/retry": OPERATORS,
  "POST /v1/dispatches/{dispatchId}/recall": OPERATORS,
  "GET /v1/registry": EVERYBODY,
  "GET /v1/me": EVERYBODY,
  "POST /v1/api-keys": ADMINS,
  "GET /v1/api-keys": ADMINS,
  "DELETE /v1/api-keys/{keyId}": ADMINS,
  "GET /v1/webhooks": ADMINS,
  "PUT /v1/webhooks/{name}": ADMINS,
  "POST /v1/webhooks/{name}/ping": ADMINS,
  "POST /v1/webhooks/{name}/rotate": ADMINS,
  "GET /v1/webhooks/{name}/deliveries": ADMINS,
  "POST /v1/webhooks/{name}/deliveries/{deliveryId}/retry": ADMINS,
  "DELETE /v1/webhooks/{name}": ADMINS,
};

/** Whom a route lets in at all, whatever is then asked of it. */
const letIn = (route: string): readonly Role[] => {
  const titles = SAMPLES.filter((sample) => sample.route === route).map(titleOf);
  return ROLES.filter((role) => titles.some((title) => MAY_CALL[title]?.includes(role)));
};

/** The role that a refusal names: the least that the route lets in, then the least that may do what is asked. */
const requiredOf = (role: Role, route: string, roles: readonly Role[]): Role => {
  const [least = "service"] = letIn(route).includes(role) ? roles : letIn(route);
  return least;
};

it("every sample has its row in the table of roles", () => {
  expect(SAMPLES.map(titleOf).toSorted()).toEqual(Object.keys(MAY_CALL).toSorted());
});

describe("the role is judged before anything is looked up", () => {
  test.each(SAMPLES.map((sample) => [titleOf(sample), sample] as const))(
    "%s is answered for those who may, and forbidden to all others",
    async (title, sample) => {
      const mayCall = MAY_CALL[title] ?? [];
      const call = (as: Role) => sendSample(api, sample, namesIn(sample, unknownThings()), { as });
      const before = await contentsOf(api.database);
      for (const role of ROLES.filter((role) => !mayCall.includes(role))) {
        expectForbidden(await call(role), requiredOf(role, sample.route, mayCall));
      }
      expect(await contentsOf(api.database)).toEqual(before);

      const { path, response } = contractOf(sample);
      const { goesOnWithout = [] } = sample;
      const refuses = Object.keys(sample.names).some((place) => !goesOnWithout.includes(place));
      for (const role of mayCall) {
        const { status, text } = await call(role);
        expect(status, `${role} at ${path}: ${text}`).toBe(refuses ? 404 : response.status);
      }
    },
  );
});

/** A call whose right depends on the task that it meets. */
interface Meeting {
  what: string;
  roles: readonly Role[];
  route: string;
  given: () => Promise<TaskView>;
  body: object;
}

const MOVE = "PATCH /v1/steps/{stepId}";
const GATE = "PATCH /v1/steps/{stepId}/gate";
const REWORK = "POST /v1/tasks/{taskId}/rework";
const REVIEW = "POST /v1/tasks/{taskId}/reviews";
const ADVANCE = "POST /v1/tasks/{taskId}/advance";

const toPreQa = { toKind: "pre_qa", reason: "Once more" };
const underReview = () => api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
const checked = () => api.givenTask({ at: { kind: "pre_qa", status: "running" } });
const waived = () => {
  return api.givenTask({ at: { kind: "pre_qa", status: "failed", gate: "waived" } });
};
const failed = async () => {
  const task = await checked();
  const body = { kind: "expert", outcome: "failed" };
  return expectDone(
    await api.call<{ task: TaskView }>("POST", `/tasks/${task.id}/reviews`, { body }),
    201,
  ).task;
};

const MEETINGS: readonly Meeting[] = [
  {
    what: "approving what experts review",
    roles: REVIEWERS,
    given: underReview,
    route: MOVE,
    body: { status: "approved" },
  },
  {
    what: "asking for changes of what experts review",
    roles: REVIEWERS,
    given: underReview,
    route: MOVE,
    body: { status: "changes_requested" },
  },
  {
    what: "pausing a review of experts",
    roles: OPERATORS,
    given: underReview,
    route: MOVE,
    body: { status: "paused" },
  },
  {
    what: "approving a quality check",
    roles: OPERATORS,
    given: checked,
    route: MOVE,
    body: { status: "approved" },
  },
  {
    what: "approving a quality check against a failed review",
    roles: REVIEWERS,
    given: failed,
    route: MOVE,
    body: { status: "approved", reason: "The reviewer was wrong" },
  },
  {
    what: "asking for changes after a quality check",
    roles: OPERATORS,
    given: checked,
    route: MOVE,
    body: { status: "changes_requested" },
  },
  {
    what: "rejecting",
    roles: REVIEWERS,
    given: checked,
    route: MOVE,
    body: { status: "rejected" },
  },
  {
    what: "calling a duplicate",
    roles: REVIEWERS,
    given: checked,
    route: MOVE,
    body: { status: "duplicate" },
  },
  {
    what: "waiving a gate",
    roles: REVIEWERS,
    given: checked,
    route: GATE,
    body: { gate: "waived", reason: "By hand" },
  },
  {
    what: "revoking a waived gate",
    roles: REVIEWERS,
    given: waived,
    route: GATE,
    body: { gate: "revoked", reason: "By hand" },
  },
  {
    what: "blocking a gate",
    roles: OPERATORS,
    given: checked,
    route: GATE,
    body: { gate: "blocked", reason: "By hand" },
  },
  {
    what: "marking a gate errored",
    roles: OPERATORS,
    given: checked,
    route: GATE,
    body: { gate: "errored", reason: "By hand" },
  },
  {
    what: "unblocking a gate",
    roles: OPERATORS,
    given: () => {
      return api.givenTask({ at: { kind: "pre_qa", status: "running", gate: "blocked" } });
    },
    route: GATE,
    body: { gate: "pending", reason: "By hand" },
  },
  {
    what: "reworking a step that has not ended",
    roles: OPERATORS,
    given: checked,
    route: REWORK,
    body: toPreQa,
  },
  ...(["approved", "rejected", "duplicate"] as const).map((status) => ({
    what: `reworking a step that ended as ${status}`,
    roles: REVIEWERS,
    given: () => api.givenTask({ at: { kind: "pre_qa", status } }),
    route: REWORK,
    body: toPreQa,
  })),
  {
    what: "recording a review of one's own",
    roles: REVIEWERS,
    given: checked,
    route: REVIEW,
    body: { kind: "expert", outcome: "passed" },
  },
  {
    what: "recording a review by automation",
    roles: andService(REVIEWERS),
    given: checked,
    route: REVIEW,
    body: { kind: "automated", outcome: "passed" },
  },
  {
    what: "moving along with a review by automation",
    roles: REVIEWERS,
    given: checked,
    route: REVIEW,
    body: {
      kind: "automated",
      outcome: "passed",
      move: { status: "approved" },
    },
  },
  {
    what: "moving on through an open gate",
    roles: andService(OPERATORS),
    given: () => api.givenTask({ at: { kind: "pre_qa", status: "approved" } }),
    route: ADVANCE,
    body: {},
  },
];

describe("what a role may do depends on the task that it meets", () => {
  test.each(MEETINGS.map((meeting) => [meeting.what, meeting] as const))(
    "%s is for those who may",
    async (_, { route, roles, given, body }) => {
      const [method = "", path = ""] = route.split(" /v1");
      const call = async (role: Role, task: TaskView) => {
        const { id: taskId, currentStep } = task;
        const named = path.replace("{taskId}", taskId).replace("{stepId}", currentStep.id);
        return api.call(method, named, { as: role, body });
      };
      const refused = await given();
      const before = await contentsOf(api.database);
      for (const role of ROLES.filter((role) => !roles.includes(role))) {
        expectForbidden(await call(role, refused), requiredOf(role, route, roles));
      }
      expect(await contentsOf(api.database)).toEqual(before);
      for (const role of roles) {
        const { status, text } = await call(role, await given());
        expect([200, 201], `${role}: ${text}`).toContain(status);
      }
    },
  );

  it("in one call on many tasks, each is judged by its own state", async () => {
    const [waiting, reviewed] = [await checked(), await underReview()];
    const moves = [waiting, reviewed].map(({ id }) => ({ task: id, status: "approved" }));
    const answer = await api.call("POST", "/moves", { as: "operator", body: { moves } });
    expect(expectDone(answer)).toMatchObject({
      items: [
        { index: 0, outcome: "changed" },
        { index: 1, outcome: "refused", error: "forbidden" },
      ],
    });
  });
});

function expectForbidden(answer: Answer<unknown>, required: Role): void {
  expect(answer.body, answer.text).toMatchObject({ error: "forbidden", status: 403, required });
}
