import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { expectDone, type Tenant, type TestApi } from "../api.ts";

/** Reads the whole history of a task, page by page. */
export async function readEvents(
  api: TestApi,
  taskId: string,
  tenant: Tenant = api.tenant,
): Promise<StepEventView[]> {
  const events: StepEventView[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { data: StepEventView[]; nextCursor: string | null } = expectDone(
      await api.call("GET", `/tasks/${taskId}/events?limit=200${more}`, { as: "viewer", tenant }),
    );
    events.push(...page.data);
    cursor = page.nextCursor;
  }
  return events;
}

/** The integers from 1 to `last`: the numbers of a history without gaps. */
export function numberedTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
