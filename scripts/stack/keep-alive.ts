import { setTimeout } from "node:timers/promises";

/** A part of a stack that should run as long as the stack does. */
interface Kept {
  /** The subject of what is printed: "PostgreSQL". */
  name: string;
  /** Resolves when the part that runs now has ended, to a text that says how. */
  ended: () => Promise<string>;
  /** Starts it again. */
  restart: () => Promise<void>;
  /** Aborted when the stack stops. */
  stopping: AbortSignal;
}

/** The pauses before each attempt. After the last, a developer has to look. */
const PAUSES_SECONDS = [0, 1, 2, 4, 8];
/** A part that ran this long was healthy: attempts are counted anew. */
const HEALTHY_MILLISECONDS = 60_000;

/**
 * Starts a part again each time it ends by itself. Resolves to an error if several attempts in a row have failed. While
 * the part can be kept alive, and once the stack stops, it does not resolve.
 */
export async function keepAlive({ name, ended, restart, stopping }: Kept): Promise<Error> {
  let attempts = 0;
  for (;;) {
    const began = performance.now();
    let how = await ended();
    if (performance.now() - began > HEALTHY_MILLISECONDS) attempts = 0;
    for (let isRunning = false; !isRunning; attempts += 1) {
      if (stopping.aborted) return new Promise(() => {});
      const pause = PAUSES_SECONDS[attempts];
      if (pause === undefined) {
        return new Error(`${name} ended, and ${attempts} attempts to restart it failed: ${how}`);
      }
      const when = pause === 0 ? "now" : `in ${pause} s`;
      console.error(`${name} ended unexpectedly (${how}). It is restarted ${when}.`);
      await setTimeout(pause * 1000);
      if (stopping.aborted) return new Promise(() => {});
      try {
        await restart();
        isRunning = true;
      } catch (error) {
        how = error instanceof Error ? error.message : String(error);
      }
    }
    console.error(`${name} is running again.`);
  }
}
