import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { paintOf, type PrintStream } from "../chart/paint.ts";
import type { ApiClient } from "../import/api-client.ts";
import { showProgress } from "../import/progress.ts";
import { type SeedRun, taskCounts } from "./api.ts";
import { LabelHistory } from "./label-history.ts";
import type { SeedCommand } from "./options.ts";
import { dailyTables, labelChart, type View } from "./picture.ts";
import { FeedReader } from "./read-history.ts";
import { dayOf } from "./tell-story.ts";

const WIDTH_DEFAULT = 80;
const HEIGHT_DEFAULT = 24;
/** A narrower chart would have no room for its plot. */
const WIDTH_MIN = 72;

/** Where the command prints: the standard output, or what a test gives it. */
export type SeedOutput = PrintStream & { columns?: number; rows?: number };

/** What a person sees: progress while the story is told, and its picture. */
export class Screen {
  readonly #client: ApiClient;
  readonly #options: Pick<SeedCommand, "watch" | "last">;
  readonly #output: SeedOutput;
  readonly #history = new LabelHistory();
  readonly #feed: FeedReader;

  constructor(client: ApiClient, options: Pick<SeedCommand, "watch" | "last">, output: SeedOutput) {
    this.#client = client;
    this.#options = options;
    this.#output = output;
    this.#feed = new FeedReader(client);
  }

  #view(height: number | null): View {
    const width = Math.max(WIDTH_MIN, this.#output.columns ?? WIDTH_DEFAULT);
    return { width, height, paint: paintOf(this.#output), lastDays: this.#options.last };
  }

  /** Shows each state of a run: redraws the picture on a terminal with --watch, otherwise a bar of days. */
  async watch(
    begun: SeedRun,
    work: (onProgress: (run: SeedRun) => Promise<void>) => Promise<SeedRun>,
  ): Promise<SeedRun> {
    if (this.#options.watch && this.#output.isTTY === true) return work((run) => this.#draw(run));
    const bar = showProgress("Day of the story", begun.days);
    try {
      return await work(async (run) => bar.update(dayOf(run)));
    } finally {
      bar.end();
    }
  }

  async #draw(run: SeedRun): Promise<void> {
    await this.#feed.readInto(this.#history, { isWhole: false });
    const height = this.#output.rows ?? HEIGHT_DEFAULT;
    const lines = [
      `Day ${dayOf(run)} of ${run.days}. ${run.progress.actions.applied} actions. Ctrl-C leaves it going.`,
      "",
      ...labelChart(run, this.#history, this.#view(height)),
    ];
    // What does not fit would scroll, and leave copies behind.
    const fitting = lines.slice(0, height - 1);
    console.log(`\u001B[H\u001B[J${fitting.join("\n")}`);
  }

  /** Prints the picture, and compares its last column with the service's counts. Returns the exit code. */
  async printResult(run: SeedRun): Promise<number> {
    const isStill = run.state !== "active" || run.speed === 0;
    await this.#feed.readInto(this.#history, { isWhole: isStill });
    const view = this.#view(null);
    console.log(`\n${labelChart(run, this.#history, view).join("\n")}`);
    console.log(`\n${(await dailyTables(this.#client, run, view)).join("\n")}`);
    const { applied, refused } = run.progress.actions;
    const actions = `${applied} actions applied, ${refused} refused`;
    console.log(`\nDay ${dayOf(run)} of ${run.days} (${run.state}): ${actions}.`);
    return isStill ? this.#compare() : 0;
  }

  async #compare(): Promise<number> {
    const counts = await this.#client.call({ method: "GET", path: "/tasks/counts" }, taskCounts);
    const own = this.#history.present();
    const differing = UNIFIED_STATUSES.filter(
      (label) => counts.byUnifiedStatus[label] !== own[label],
    );
    if (differing.length === 0) {
      console.log(`The service counts the same ${counts.total} tasks by label.`);
      return 0;
    }
    const labels = differing.map((label) => `${label} ${counts.byUnifiedStatus[label]}`).join(", ");
    console.error(`The service counts differently: ${labels}.`);
    return 1;
  }
}
