import { expect } from "vitest";
import type { EvalEventView, StepEventView } from "../../src/actions/views/event-view.ts";
import type { Tenant, TestApi } from "./api.ts";

/** A message of a stream: an event and the cursor after it. */
export interface StreamedEvent {
  id: string;
  event: StepEventView | EvalEventView;
}

export interface OpenedStream {
  response: Response;
  /** Returns the next event, or undefined if the stream has ended. */
  next: () => Promise<StreamedEvent | undefined>;
  /** Returns the last cursor, whether or not it came with an event. */
  lastId: () => string | undefined;
  /** Leaves the stream, like a client that closes its connection. */
  leave: () => Promise<void>;
}

/** Opens the stream of the feed as a client of server-sent events does. */
export async function openStream(
  api: Pick<TestApi, "fetch"> & { tenant: Tenant },
  query = "",
  lastEventId?: string,
): Promise<OpenedStream> {
  const response = await api.fetch(`/v1/events/stream${query}`, {
    headers: {
      authorization: `Bearer ${api.tenant.keys.viewer}`,
      ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
    },
  });
  expect(response.status).toBe(200);
  if (response.body === null) return expect.fail("the stream has no body");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const pending: StreamedEvent[] = [];
  let text = "";
  let id: string | undefined;

  const take = (block: string): void => {
    const fields = new Map(
      block.split("\n").map((line) => {
        const [, name = "", value = ""] = /^(\w*): (.*)$/.exec(line) ?? expect.fail(line);
        return [name, value];
      }),
    );
    id = fields.get("id") ?? id;
    const data = fields.get("data");
    if (data !== undefined) {
      // The tests of the stream check the shape of its events.
      const event = JSON.parse(data) as StreamedEvent["event"];
      pending.push({ id: fields.get("id") ?? expect.fail("an event has no id"), event });
    }
  };

  return {
    response,
    lastId: () => id,
    leave: () => reader.cancel(),
    next: async () => {
      while (pending.length === 0) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        const blocks = (text + value).split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) take(block);
      }
      return pending.shift();
    },
  };
}
