import { expect, vi } from "vitest";
import type { TestDatabase } from "./database.ts";

/** Waits for all transactions of the cluster, also of other tests, that began before the newest event. */
export async function untilSettled(database: TestDatabase): Promise<void> {
  const unsettled = `select from step_events where txid >= pg_snapshot_xmin(pg_current_snapshot()) limit 1`;
  await vi.waitFor(async () => expect(await database.query("superuser", unsettled)).toEqual([]), {
    interval: 20,
    timeout: 30_000,
  });
}
