import type { SeedRunView } from "../../src/actions/views/seed-run-view.ts";
import type { SeedTaskCounts } from "../../src/db/seed/seed-runs.ts";
import type { QueueBinding } from "../../src/env.ts";
import { type CallOptions, expectDone, type Tenant, type TestApi } from "./api.ts";

export type CountedSeedRun = SeedRunView & { counts: SeedTaskCounts };

/** The calls of a tenant's administrator about seed runs. */
export function seedRunsOf(api: TestApi, tenant: Tenant) {
  const call = (method: string, path: string, body?: object, options: CallOptions = {}) =>
    api.call<SeedRunView>(method, `/seed/runs${path}`, {
      tenant,
      ...(body !== undefined && { body }),
      ...options,
    });
  return {
    /** Starts a small story; the last days of November 2026 by default. */
    start: (body: object = {}, options?: CallOptions) =>
      call("POST", "", { seed: 1, tasks: 6, days: 14, anchor: ANCHOR, ...body }, options),
    advance: (id: string, body: object, options?: CallOptions) =>
      call("POST", `/${id}/advance`, body, options),
    remove: (id: string, options?: CallOptions) => call("DELETE", `/${id}`, undefined, options),
    find: async (id: string) =>
      expectDone(
        await api.call<CountedSeedRun>("GET", `/seed/runs/${id}`, { tenant, as: "viewer" }),
      ),
  };
}

export const ANCHOR = "2026-11-30T12:00:00Z";
export const BEGIN = "2026-11-16T12:00:00.000000Z";

/** A queue without a consumer that keeps what is sent, with its delays. */
export function delayedQueue() {
  const sent: { body: unknown; delaySeconds: number }[] = [];
  const sendBatch: QueueBinding["sendBatch"] = async (messages, { delaySeconds = 0 } = {}) => {
    sent.push(...messages.map(({ body }) => ({ body, delaySeconds })));
  };
  return { sent, sendBatch };
}
