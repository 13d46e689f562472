import { beforeAll, describe, expect, test } from "vitest";
import type { Role } from "../../../src/domain/actor.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { freshApi, type TestApi } from "../../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

interface Call {
  method: string;
  path: string;
  body: object;
}
interface Status {
  next: (Call & { needs?: string[] })[] | null;
  closed: { call: Call; code: string; detail: string; required?: Role }[] | null;
}

const PERSONS = ["viewer", "operator", "reviewer", "admin"] as const;
const LABELS = ["DRAFT", "CHECKING_QUALITY", "IN_REVIEW", "PASSED", "REJECTED"] as const;

const statusOf = async ({ id }: TaskView, as: Role, query = "") => {
  const { body } = await api.call<Status>("GET", `/tasks/${id}/status${query}`, { as });
  return body;
};

const send = ({ method, path, body }: Call, as: Role) =>
  api.call<{ error?: string; detail?: string; required?: string }>(
    method,
    path.replace("/v1", ""),
    { as, body: { ...body, reason: "Because" } },
  );

describe.each(LABELS)("the status of a task that is %s", (label) => {
  test.each(PERSONS)(
    "lists the calls that are closed to a %s with the error of each",
    async (as) => {
      const task = await api.givenTaskLabelled(label);
      const { closed } = await statusOf(task, as);
      expect(closed?.length).toBeGreaterThan(0);
      for (const { call, code, detail, required } of closed ?? []) {
        const { body } = await send(call, as);
        // Every one of these routes refuses a viewer before it looks at the task. The status names the role for this task.
        const because =
          as === "viewer" ? {} : { detail, ...(required !== undefined && { required }) };
        expect(body, JSON.stringify(call)).toMatchObject({ error: code, ...because });
        expect(required === undefined).toBe(code !== "forbidden");
      }
    },
  );

  test("lists calls that succeed", async () => {
    const { next } = await statusOf(await api.givenTaskLabelled(label), "reviewer");
    for (const index of (next ?? []).keys()) {
      const task = await api.givenTaskLabelled(label);
      const own = (await statusOf(task, "reviewer")).next?.[index];
      if (own === undefined) expect.fail("a task like it offers less");
      const { status, text } = await send(own, "reviewer");
      expect(status, `${JSON.stringify(own)}: ${text}`).toBe(200);
    }
  });
});

test("an archived task only offers to be restored, and the past offers nothing", async () => {
  const task = await api.givenTask();
  const past = await statusOf(task, "reviewer", "?asOf=seq:1");
  expect([past.next, past.closed]).toEqual([null, null]);
  await api.call("POST", `/tasks/${task.id}/archive`, { body: {} });
  const path = `/v1/tasks/${task.id}/restore`;
  const { next, closed } = await statusOf(task, "reviewer");
  expect(next).toEqual([{ method: "POST", path, body: {} }]);
  expect(new Set(closed?.map(({ code }) => code))).toEqual(new Set(["archived"]));
  const asOperator = await statusOf(task, "operator");
  expect(asOperator.next).toEqual([]);
  expect(asOperator.closed?.find(({ call }) => call.path === path)).toMatchObject({
    code: "forbidden",
    required: "reviewer",
  });
});
