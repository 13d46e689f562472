import { beforeAll, vi } from "vitest";

/**
 * Makes the service retry without waiting: a retry waits for a random part of its backoff, and here that part is zero.
 * For files that break the database hundreds of times.
 */
export function retryWithoutWaiting(): void {
  beforeAll(() => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    return () => random.mockRestore();
  });
}
