import { expect, test } from "vitest";
import { connect } from "../../client/index.ts";
import { freshApi } from "../support/api.ts";

test("the client runs in a Worker, through a service binding", async () => {
  const api = await freshApi();
  const stepledger = connect({
    baseUrl: "https://stepledger.test",
    key: api.tenant.keys.operator,
    fetch: (url, init) => api.fetch(new URL(url).pathname, init),
  });
  const task = await stepledger.createTask({ body: { title: "From a Worker" } });
  expect(await stepledger.getTask({ params: { taskId: task.id } })).toEqual(task);
});
