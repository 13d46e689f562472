import { beforeAll, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { Role } from "../../src/domain/actor.ts";
import { silenceLog } from "../support/model/quiet.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import { givenOfferedRun } from "../support/runs.ts";
import { signToken } from "../support/tokens.ts";

silenceLog();

// The issuer of tokens chooses their subjects. No choice makes a token pass for an API key, or for the service itself.

/** Allows `max` calls of each bucket. */
const counts = new Map<string, number>();
const max = 40;
const limiter = {
  limit: async ({ key }: { key: string }) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return { success: (counts.get(key) ?? 0) <= max };
  },
};

let api: TestApi;
beforeAll(async () => {
  api = await freshApi({ RATE_LIMITER: limiter });
});

const tokenOf = (sub: string, role: Role) =>
  signToken({ claims: { sub, name: "The other", tenant_id: api.tenant.id, role } });

async function keyIdOf(role: Role): Promise<string> {
  const me = await api.call<{ actor: { id: string } }>("GET", "/me", { as: role });
  return expectDone(me).actor.id;
}

describe.each<Role>(["operator", "service"])(
  "a token whose subject is the id of a key (%s)",
  (role) => {
    it("does not replay an operation of the key", async () => {
      const task = await api.givenTask();
      const send = (options: CallOptions) =>
        api.call<{ id: string }>("POST", `/tasks/${task.id}/prompts`, {
          body: { role: "user", content: "Once" },
          idempotencyKey: `once-${role}`,
          ...options,
        });
      const bearer = await tokenOf(await keyIdOf(role), role);
      const first = await send({ as: role });
      const other = await send({ bearer });
      expect(expectDone(other, 201).id).not.toBe(expectDone(first, 201).id);
      expect(other.headers.get("idempotency-replayed")).toBeNull();

      for (const [options, id] of [
        [{ as: role }, first.body.id],
        [{ bearer }, other.body.id],
      ] as const) {
        const repeated = await send(options);
        expect(repeated.headers.get("idempotency-replayed")).toBe("true");
        expect(expectDone(repeated, 201).id).toBe(id);
      }
    });
  },
);

it("does not use up the limit of the key", async () => {
  const bearer = await tokenOf(await keyIdOf("viewer"), "viewer");
  counts.clear();
  for (let call = 0; call < max; call += 1) await api.call("GET", "/me", { bearer });
  expectProblem(await api.call("GET", "/me", { bearer }), "rate_limited", 429);
  expectDone(await api.call("GET", "/me", { as: "viewer" }));
  counts.clear();
});

it("cannot execute what the key previewed", async () => {
  const { id } = await api.givenTask();
  const change = { taskIds: [id], targetStatus: "REJECTED" };
  const previewed = await api.call<{ planToken: string }>("POST", "/bulk/preview", {
    as: "reviewer",
    body: change,
  });
  const { planToken } = expectDone(previewed);
  const execute = (options: CallOptions) =>
    api.call("POST", "/bulk/execute", {
      idempotencyKey: crypto.randomUUID(),
      body: { ...change, planToken, reason: "Out of scope" },
      ...options,
    });
  const bearer = await tokenOf(await keyIdOf("reviewer"), "reviewer");
  expectProblem(await execute({ bearer }), "invalid_plan_token", 400);
  expectDone(await execute({ as: "reviewer" }));
});

it("cannot report on a run that the key claimed", async () => {
  const { runId } = await givenOfferedRun(api);
  const claimed = await api.call<{ data: unknown[] }>("POST", "/worker-runs/claim", {
    as: "service",
    body: { types: ["QUALITY_AUTOMATION"] },
  });
  expect(expectDone(claimed).data).toHaveLength(1);
  const report = (options: CallOptions) =>
    api.call("PATCH", `/worker-runs/${runId}`, {
      body: { state: "RUNNING", attempt: 1 },
      ...options,
    });
  const bearer = await tokenOf(await keyIdOf("service"), "service");
  expectProblem(await report({ bearer }), "lease_lost", 409);
  expectDone(await report({ as: "service" }));
});

it("named 'system' is a person to the history, and needs a lease like any other", async () => {
  const { runId, task } = await givenOfferedRun(api);
  const bearer = await tokenOf("system", "service");
  const reported = await api.call("PATCH", `/worker-runs/${runId}`, {
    bearer,
    body: { state: "RUNNING" },
  });
  expectProblem(reported, "lease_lost", 409);

  const person = await tokenOf("system", "operator");
  const body = { title: "Edited" };
  expectDone(await api.call<TaskView>("PATCH", `/tasks/${task.id}`, { bearer: person, body }));
  const events = await api.call<{ data: { type: string; actor: object }[] }>(
    "GET",
    `/tasks/${task.id}/events`,
  );
  expect(expectDone(events).data.at(-1)).toMatchObject({
    actor: { id: "system", name: "The other", kind: "person", role: "operator" },
  });
});
