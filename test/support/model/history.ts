import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { expectDone, type Tenant, type TestApi } from "../api.ts";

/** A task's whole history, read page by page. */
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

/** The whole numbers from 1 to the last one: what a history without a gap is numbered with. */
export function numberedTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
