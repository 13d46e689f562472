import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

/** How the receiver responds to a message. */
export type Answer =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Bytes that are not HTTP. */
  | "garbage"
  /** No response, for as long as the sender waits. */
  | "nothing"
  /** A connection reset. */
  | "reset"
  /** Headers and a body that never ends. */
  | "endless"
  /** Headers without a body, on a connection that stays open. */
  | "silent body";

export interface Received {
  headers: IncomingMessage["headers"];
  body: string;
  /** The verified message, or null if its signature is invalid. */
  message: unknown;
}

/** A tenant's system: it verifies messages with the Standard Webhooks library and responds as the test says. */
export interface Receiver {
  url: string;
  received: Received[];
  /** Sets the response to all further messages. */
  answerWith: (answer: Answer) => void;
  stop: () => Promise<void>;
}

export async function startReceiver(secret: Uint8Array): Promise<Receiver> {
  const received: Received[] = [];
  let answer: Answer = { status: 200 };
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    received.push({ headers: request.headers, body, message: verified(secret, request, body) });
    respond(response, answer);
  };
  // A request that breaks off does not count as received.
  const server = createServer((request, response) => void take(request, response).catch(() => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answerWith: (next) => {
      answer = next;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function verified(secret: Uint8Array, { headers }: IncomingMessage, body: string): unknown {
  const signed = {
    "webhook-id": String(headers["webhook-id"]),
    "webhook-timestamp": String(headers["webhook-timestamp"]),
    "webhook-signature": String(headers["webhook-signature"]),
  };
  try {
    return new Webhook(secret, { format: "raw" }).verify(body, signed);
  } catch {
    return null;
  }
}

function respond(response: ServerResponse, answer: Answer): void {
  switch (answer) {
    case "garbage":
      response.socket?.end("\u0000no such thing as HTTP\r\n\r\n");
      return;
    case "nothing":
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "endless": {
      response.writeHead(200);
      const more = () => {
        while (response.write("x".repeat(16 * 1024)));
      };
      response.on("drain", more);
      return more();
    }
    case "silent body":
      response.writeHead(200).flushHeaders();
      return;
    default:
      response.writeHead(answer.status, answer.headers).end(answer.body ?? "");
  }
}
