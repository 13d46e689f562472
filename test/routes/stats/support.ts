import { expect } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, type TestApi } from "../../support/api.ts";
import type { Chance } from "../../support/chance.ts";
import { readEvents } from "../../support/model/history.ts";
import type { TaskHistory } from "./oracle.ts";

/** Reads every task of the tenant with its events and the errors of its runs. */
export async function readTaskHistories(api: TestApi): Promise<TaskHistory[]> {
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

/** Returns the times of some events in ascending order, always including the first and the last event. */
export function pickTimes(histories: readonly TaskHistory[], chance: Chance): string[] {
  const all = [
    ...new Set(histories.flatMap(({ events }) => events.map(({ at }) => at))),
  ].toSorted();
  const chosen = all.filter(
    (_, index) => index === 0 || index === all.length - 1 || chance.isHit(6 / all.length),
  );
  expect(chosen.length).toBeGreaterThan(1);
  return chosen;
}
