import type { Backend } from "./backend.ts";
import { mostFrequent, scheduleCrons } from "./crons.ts";
import { keepAlive } from "./keep-alive.ts";
import type { ProcessRecords } from "./process-records.ts";
import { makeQueuedWorkDue } from "./queued-work.ts";
import type { RunningWorker } from "./stack.ts";

interface Surroundings {
  baseUrl: string;
  backend: Pick<Backend, "isOwn" | "migrationDatabaseUrl">;
  processes: ProcessRecords;
}

/**
 * The Worker of a local stack. It is started again if it ends, its cron triggers run at their times, and work that a
 * crash interrupted goes on after each start.
 */
export class SupervisedWorker {
  readonly baseUrl: string;
  readonly #start: () => Promise<RunningWorker>;
  readonly #backend: Surroundings["backend"];
  readonly #processes: ProcessRecords;
  readonly #stopping = new AbortController();
  #running: RunningWorker | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  /** The processes of the Worker that are known. Another one has a new queue. */
  #known: ReadonlySet<number> = new Set();

  constructor(start: () => Promise<RunningWorker>, { baseUrl, backend, processes }: Surroundings) {
    this.#start = start;
    this.baseUrl = baseUrl;
    this.#backend = backend;
    this.#processes = processes;
  }

  /** Starts the Worker, and waits until it answers. */
  async start(interrupted: Promise<unknown> = new Promise(() => {})): Promise<void> {
    await this.#expectNoMessages();
    this.#running = await this.#start();
    await waitUntilAnswers(this.baseUrl, this.#running.ended, interrupted);
    this.#known = new Set(await this.#processes.alive());
  }

  /** Runs until `stop`. Resolves to an error if the Worker has ended and cannot be restarted. */
  async run(): Promise<Error> {
    const stopCrons = scheduleCrons(this.#running?.crons ?? [], (cron) => this.#fire(cron));
    this.#stopping.signal.addEventListener("abort", stopCrons);
    void this.#resumeWork();
    return keepAlive({
      name: "The Worker",
      ended: () => this.#end(),
      restart: () => {
        const restarting = this.#restart();
        this.#starting = restarting.catch(() => {});
        return restarting;
      },
      stopping: this.#stopping.signal,
    });
  }

  async stop(isInterrupted: boolean): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    await this.#running?.stop(isInterrupted);
    // A supervisor that had to be killed leaves workerd behind.
    await this.#processes.endAll();
  }

  async #restart(): Promise<void> {
    const stopping = this.#running?.stop(false).catch(() => {});
    // What does not stop in time is killed with its processes.
    await Promise.race([stopping, pause(STOP_PATIENCE_MILLISECONDS)]);
    await this.#processes.endAll();
    await this.start();
    void this.#resumeWork();
  }

  /**
   * Resolves when the Worker has ended, to a text that says how. Meanwhile, looks for a new workerd: miniflare replaces
   * one that has crashed or whose code has changed.
   */
  async #end(): Promise<string> {
    let how: string | undefined;
    // Listens once: a race in each round would keep one more listener until the end.
    void this.#running?.ended.then((ended) => (how = ended));
    const expected = this.#known.size;
    let missingSince: number | null = null;
    for (;;) {
      await pause(WATCH_MILLISECONDS);
      if (how !== undefined) return how;
      const alive = await this.#processes.alive();
      if (alive.length < expected) {
        missingSince ??= performance.now();
        if (performance.now() - missingSince > REPLACED_WITHIN_MILLISECONDS)
          return "workerd is gone";
      } else {
        missingSince = null;
        if (alive.some((pid) => !this.#known.has(pid))) {
          this.#known = new Set(alive);
          void this.#recover();
        }
      }
    }
  }

  async #recover(): Promise<void> {
    try {
      await this.#expectNoMessages();
      await waitUntilAnswers(this.baseUrl, new Promise(() => {}), new Promise(() => {}));
      console.log("A new workerd is running. Interrupted work goes on.");
      await this.#resumeWork();
    } catch (error) {
      console.error(`Interrupted work could not be resumed: ${messageOf(error)}`);
    }
  }

  /** Does nothing on a database that another stack may use: its queues may have messages. */
  async #expectNoMessages(): Promise<void> {
    const { isOwn, migrationDatabaseUrl } = this.#backend;
    if (isOwn) await this.#untilDone(() => makeQueuedWorkDue(migrationDatabaseUrl));
  }

  /** Runs the frequent sweep, which finds work whose messages were lost. */
  async #resumeWork(): Promise<void> {
    const cron = mostFrequent(this.#running?.crons ?? []);
    if (cron === undefined) return;
    await this.#untilDone(() => this.#runCron(cron)).catch((error: unknown) =>
      console.error(`cron ${cron}: ${messageOf(error)}`),
    );
  }

  /**
   * Repeats something that needs the database until it succeeds: the server may have been killed, too.
   * @throws its last error after a minute, or when the stack stops.
   */
  async #untilDone(run: () => Promise<void>): Promise<void> {
    const deadline = performance.now() + DATABASE_PATIENCE_MILLISECONDS;
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (this.#stopping.signal.aborted || performance.now() > deadline) throw error;
        await pause(1_000);
      }
    }
  }

  async #fire(cron: string): Promise<void> {
    await this.#runCron(cron).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) console.error(`cron ${cron}: ${messageOf(error)}`);
    });
  }

  async #runCron(cron: string): Promise<void> {
    const began = performance.now();
    await this.#running?.scheduled(cron);
    console.log(`cron ${cron}: done in ${Math.round(performance.now() - began)} ms`);
  }
}

const WATCH_MILLISECONDS = 500;
/** Miniflare replaces workerd in about a second, and longer on a busy machine. */
const REPLACED_WITHIN_MILLISECONDS = 15_000;

/** How long a killed database may take until it is restarted and recovered. */
const DATABASE_PATIENCE_MILLISECONDS = 60_000;
const STOP_PATIENCE_MILLISECONDS = 10_000;
const START_PATIENCE_MILLISECONDS = 90_000;

async function waitUntilAnswers(
  baseUrl: string,
  ended: Promise<unknown>,
  stopped: Promise<unknown>,
): Promise<void> {
  const failure = Promise.race([
    ended.then(() => "The Worker exited during its start"),
    stopped.then(() => "Interrupted during the start"),
  ]);
  const deadline = Date.now() + START_PATIENCE_MILLISECONDS;
  while (Date.now() < deadline) {
    const result = await Promise.race([failure, isHealthy(baseUrl)]);
    if (result === true) return;
    if (typeof result === "string") throw new Error(result);
    await pause(100);
  }
  throw new Error("The Worker does not respond to /healthz");
}

async function isHealthy(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/healthz`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
