import { z } from "zod";
import { LIMIT_MAX } from "../../src/routes/http/schemas.ts";
import { anyEvent } from "../../src/routes/shapes/event.ts";
import type { ApiClient } from "../import/api-client.ts";
import type { LabelHistory } from "./label-history.ts";

const feedPage = z.object({
  data: z.array(anyEvent),
  nextCursor: z.string(),
  caughtUp: z.boolean(),
});

/** Reads the feed of a tenant into a history of labels, and goes on later from where it stopped. */
export class FeedReader {
  readonly #client: ApiClient;
  #cursor: string | null = null;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /**
   * Adds the events that are new. An event whose predecessors are still being written comes later; `isWhole` waits for
   * it, so use it only when no story is being told.
   */
  async readInto(history: LabelHistory, { isWhole }: { isWhole: boolean }): Promise<void> {
    for (;;) {
      const after = this.#cursor === null ? "" : `&after=${encodeURIComponent(this.#cursor)}`;
      const path = `/events?limit=${LIMIT_MAX}&wait=${isWhole ? 1 : 0}${after}`;
      const page: z.output<typeof feedPage> = await this.#client.call(
        { method: "GET", path },
        feedPage,
      );
      for (const event of page.data) {
        if (event.stream === "eval") continue;
        history.add({ ...event, fromStatus: event.from, toStatus: event.to });
      }
      this.#cursor = page.nextCursor;
      if (page.caughtUp || (page.data.length === 0 && !isWhole)) return;
    }
  }
}
