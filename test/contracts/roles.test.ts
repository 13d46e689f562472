import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { andService, OPERATORS, REVIEWERS, titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import {
  contractOf,
  namesIn,
  sendSample,
  statusWithoutOf,
} from "../support/samples/send-sample.ts";
import { unknownThings } from "../support/samples/things.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  await api.demoTenant();
});

/** Returns the roles that may call the route with at least one of its samples. */
const admittedTo = (route: string): readonly Role[] =>
  ROLES.filter((role) =>
    SAMPLES.some((sample) => sample.route === route && sample.roles.includes(role)),
  );

/** Returns the role that a refusal names: the least that may call the route, then the least for this input. */
const requiredOf = (role: Role, route: string, roles: readonly Role[]): Role => {
  const [least = "service"] = admittedTo(route).includes(role) ? roles : admittedTo(route);
  return least;
};

describe("the role is checked before any lookup", () => {
  test.each(SAMPLES.map((sample) => [titleOf(sample), sample] as const))(
    "%s admits the permitted roles and forbids all others",
    async (_, sample) => {
      const { roles: permitted } = sample;
      const call = (as: Role) => sendSample(api, sample, namesIn(sample, unknownThings()), { as });
      const before = await contentsOf(api.database);
      for (const role of ROLES.filter((role) => !permitted.includes(role))) {
        expectForbidden(await call(role), requiredOf(role, sample.route, permitted));
      }
      expect(await contentsOf(api.database)).toEqual(before);

      const { path } = contractOf(sample);
      const { goesOnWithout = [] } = sample;
      const requiresNames = Object.keys(sample.names).some(
        (place) => !goesOnWithout.includes(place),
      );
      for (const role of permitted) {
        const { status, text } = await call(role);
        expect(status, `${role} at ${path}: ${text}`).toBe(
          requiresNames ? 404 : statusWithoutOf(sample),
        );
      }
    },
  );
});

/** A call whose required role depends on the state of its task. */
interface StatefulCall {
  title: string;
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

const STATEFUL_CALLS: readonly StatefulCall[] = [
  {
    title: "approving an expert review",
    roles: REVIEWERS,
    given: underReview,
    route: MOVE,
    body: { status: "approved" },
  },
  {
    title: "requesting changes in an expert review",
    roles: REVIEWERS,
    given: underReview,
    route: MOVE,
    body: { status: "changes_requested" },
  },
  {
    title: "pausing an expert review",
    roles: OPERATORS,
    given: underReview,
    route: MOVE,
    body: { status: "paused" },
  },
  {
    title: "approving a quality check",
    roles: OPERATORS,
    given: checked,
    route: MOVE,
    body: { status: "approved" },
  },
  {
    title: "approving a quality check against a failed review",
    roles: REVIEWERS,
    given: failed,
    route: MOVE,
    body: { status: "approved", reason: "The reviewer was wrong" },
  },
  {
    title: "requesting changes after a quality check",
    roles: OPERATORS,
    given: checked,
    route: MOVE,
    body: { status: "changes_requested" },
  },
  {
    title: "rejecting a step",
    roles: REVIEWERS,
    given: checked,
    route: MOVE,
    body: { status: "rejected", reason: "By hand" },
  },
  {
    title: "marking a step as a duplicate",
    roles: REVIEWERS,
    given: checked,
    route: MOVE,
    body: { status: "duplicate", reason: "By hand" },
  },
  {
    title: "waiving a gate",
    roles: REVIEWERS,
    given: checked,
    route: GATE,
    body: { gate: "waived", reason: "By hand" },
  },
  {
    title: "revoking a waived gate",
    roles: REVIEWERS,
    given: waived,
    route: GATE,
    body: { gate: "revoked", reason: "By hand" },
  },
  {
    title: "blocking a gate",
    roles: OPERATORS,
    given: checked,
    route: GATE,
    body: { gate: "blocked", reason: "By hand" },
  },
  {
    title: "marking a gate errored",
    roles: OPERATORS,
    given: checked,
    route: GATE,
    body: { gate: "errored", reason: "By hand" },
  },
  {
    title: "unblocking a gate",
    roles: OPERATORS,
    given: () => {
      return api.givenTask({ at: { kind: "pre_qa", status: "running", gate: "blocked" } });
    },
    route: GATE,
    body: { gate: "pending", reason: "By hand" },
  },
  {
    title: "reworking a step that has not ended",
    roles: OPERATORS,
    given: checked,
    route: REWORK,
    body: toPreQa,
  },
  ...(["approved", "rejected", "duplicate"] as const).map((status) => ({
    title: `reworking a step that ended as ${status}`,
    roles: REVIEWERS,
    given: () => api.givenTask({ at: { kind: "pre_qa", status } }),
    route: REWORK,
    body: toPreQa,
  })),
  {
    title: "recording an expert's review",
    roles: REVIEWERS,
    given: checked,
    route: REVIEW,
    body: { kind: "expert", outcome: "passed" },
  },
  {
    title: "recording an automated review",
    roles: andService(REVIEWERS),
    given: checked,
    route: REVIEW,
    body: { kind: "automated", outcome: "passed" },
  },
  {
    title: "recording an automated review with a move",
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
    title: "advancing through an open gate",
    roles: andService(OPERATORS),
    given: () => api.givenTask({ at: { kind: "pre_qa", status: "approved" } }),
    route: ADVANCE,
    body: {},
  },
];

describe("the required role depends on the task's state", () => {
  test.each(STATEFUL_CALLS.map((call) => [call.title, call] as const))(
    "%s is allowed only for the permitted roles",
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

  it("is checked for each task separately in a call on many tasks", async () => {
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
