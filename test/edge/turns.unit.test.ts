import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Turns, TurnsTaken } from "../../src/routes/http/turns.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that the test ends. */
function work() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { hasStarted: false, end: resolve };
  const run = async () => {
    state.hasStarted = true;
    await promise;
  };
  return { state, run };
}

/** Lets waiting calls look whether it is their turn. */
const look = () => vi.advanceTimersByTimeAsync(50);

describe("large calls", () => {
  it("take turns, in order", async () => {
    const turns = new Turns({ atOnce: 2, waitingMax: 10 });
    const calls = Array.from({ length: 5 }, work);
    const done = calls.map(({ run }) => turns.use(run));
    const started = () => calls.map(({ state }) => state.hasStarted);
    await look();
    expect(started()).toEqual([true, true, false, false, false]);
    calls[1]?.state.end();
    await look();
    expect(started()).toEqual([true, true, true, false, false]);
    for (const { state } of calls) state.end();
    await look();
    expect(started()).toEqual([true, true, true, true, true]);
    await Promise.all(done);
  });

  it("pass the turn on if the work fails", async () => {
    const turns = new Turns({ atOnce: 1, waitingMax: 10 });
    await expect(turns.use(() => Promise.reject(new Error("It failed")))).rejects.toThrow(
      "It failed",
    );
    expect(await turns.use(async () => "next")).toBe("next");
  });

  it("are refused at once if too many wait", async () => {
    const turns = new Turns({ atOnce: 1, waitingMax: 2 });
    const calls = Array.from({ length: 3 }, work);
    const done = calls.map(({ run }) => turns.use(run));
    await look();
    await expect(turns.use(async () => {})).rejects.toThrow(TurnsTaken);
    for (const { state } of calls) state.end();
    await look();
    await Promise.all(done);
  });

  it("are refused if the wait is too long", async () => {
    const turns = new Turns({ atOnce: 1, waitingMax: 2 });
    const first = work();
    const busy = turns.use(first.run);
    const refused = turns.use(async () => {}).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(await refused).toBeInstanceOf(TurnsTaken);
    first.state.end();
    await busy;
  });

  it("lose their turn if they were cancelled while they worked", async () => {
    const turns = new Turns({ atOnce: 1, waitingMax: 2 });
    turns.use(work().run).catch(() => {});
    await vi.advanceTimersByTimeAsync(125_000);
    expect(await turns.use(async () => "next")).toBe("next");
  });
});
