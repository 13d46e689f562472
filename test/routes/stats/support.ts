import { expect } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, type TestApi } from "../../support/api.ts";
import type { Chance } from "../../support/chance.ts";
import { readEvents } from "../../support/model/history.ts";
import type { Told } from "./oracle.ts";

/** All that the API tells of every task of the tenant. */
export async function readTold(api: TestApi): Promise<Told[]> {
  const tasks: TaskView[] = [];
  for (const archived of [false, true]) {
    let cursor: string | null = "";
    while (cursor !== null) {
      const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { data: TaskView[]; nextCursor: string | null } = expectDone(
        await api.call("GET", `/tasks?archived=${archived}&limit=200${more}`, { as: "viewer" }),
      );
      tasks.push(...page.data);
      cursor = page.nextCursor;
    }
  }
  return Promise.all(
    tasks.map(async (task) => {
      const [events, runs] = await Promise.all([
        readEvents(api, task.id),
        api.call<{ data: { id: string; error: string | null }[] }>(
          "GET",
          `/worker-runs?task=${task.id}&limit=200`,
        ),
      ]);
      return {
        task,
        events,
        errors: new Map(expectDone(runs).data.map((run) => [run.id, run.error])),
      };
    }),
  );
}

/** Some moments in the order of time, at which something happened; the first and the last one of all among them. */
export function momentsOf(told: readonly Told[], chance: Chance): string[] {
  const all = [...new Set(told.flatMap(({ events }) => events.map(({ at }) => at)))].toSorted();
  const chosen = all.filter(
    (_, index) => index === 0 || index === all.length - 1 || chance.isHit(6 / all.length),
  );
  expect(chosen.length).toBeGreaterThan(1);
  return chosen;
}
