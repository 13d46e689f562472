import { beforeAll, vi } from "vitest";

/** Keeps the Worker's log lines out of the report of a file that sends thousands of requests. */
export function silenceLog(): void {
  beforeAll(() => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    return () => log.mockRestore();
  });
}
