import { beforeAll, describe, expect, it } from "vitest";
import { contentHash } from "../../../src/actions/tasks/content-hash.ts";
import type { VersionRecord } from "../../../src/db/content/versions.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";

interface VersionPage {
  data: VersionRecord[];
  nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

async function givenThreeVersions() {
  const task = await api.givenTask({ content: { brief: "One" } });
  for (const brief of ["Two", "Three"]) {
    const body = { content: { brief }, reason: `Because of ${brief}.` };
    expectDone(await api.call("POST", `/tasks/${task.id}/versions`, { body }), 201);
  }
  return task;
}

describe("A task's versions", () => {
  it("are listed by number, and all but the last are sealed", async () => {
    const { id } = await givenThreeVersions();
    const path = `/tasks/${id}/versions`;
    const { data } = expectDone(await api.call<VersionPage>("GET", path, { as: "viewer" }));
    expect(data.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(data.map(({ sealedAt }) => sealedAt === null)).toEqual([false, false, true]);
    expect(data.map(({ reason }) => reason)).toEqual([
      null,
      "Because of Two.",
      "Because of Three.",
    ]);
    expect(data.map((version) => version.contentHash)).toEqual(
      ["One", "Two", "Three"].map((brief) => contentHash({ brief })),
    );
    for (const version of data) expect(version).not.toHaveProperty("content");
  });

  it("are paginated", async () => {
    const { id } = await givenThreeVersions();
    const path = `/tasks/${id}/versions?limit=2`;
    const first = expectDone(await api.call<VersionPage>("GET", path));
    expect(first.data.map(({ number }) => number)).toEqual([1, 2]);
    const rest = expectDone(
      await api.call<VersionPage>("GET", `${path}&cursor=${first.nextCursor}`),
    );
    expect(rest.data.map(({ number }) => number)).toEqual([3]);
    expect(rest.nextCursor).toBeNull();
  });

  it("can be retrieved one by one with their content", async () => {
    const { id } = await givenThreeVersions();
    for (const [index, brief] of ["One", "Two", "Three"].entries()) {
      const version = await api.call("GET", `/tasks/${id}/versions/${index + 1}`, { as: "viewer" });
      expect(version.body).toMatchObject({ number: index + 1, content: { brief }, taskId: id });
    }
    expectProblem(await api.call("GET", `/tasks/${id}/versions/4`), "not_found", 404);
    expectProblem(await api.call("GET", `/tasks/${id}/versions/0`), "validation_failed", 400);
  });

  it("take one round trip per call", async () => {
    const { id } = await givenThreeVersions();
    for (const path of [`/tasks/${id}/versions`, `/tasks/${id}/versions/2`]) {
      expect(await api.roundTripsOf(() => api.call("GET", path))).toBe(1);
    }
  });
});
