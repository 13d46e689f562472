import type * as z from "zod";
import { describe, expect, it } from "vitest";
import { type Call, reply } from "../../src/routes/http/call.ts";
import { defineContract } from "../../src/routes/http/contract.ts";
import { createHandler, type Route } from "../../src/routes/http/create-handler.ts";
import { byteStream } from "../../src/routes/http/streaming.ts";
import { testApp } from "./support.ts";

/** A route that sends the pieces that a test makes. */
function streaming(pieces: (call: Call) => z.input<typeof byteStream>): Route {
  const contract = defineContract({
    operationId: "streamThings",
    method: "GET",
    path: "/things/all",
    summary: "Streams the things",
    tags: ["Things"],
    role: "viewer",
    response: {
      status: 200,
      description: "The things.",
      schema: byteStream,
      mediaType: "text/plain",
    },
  });
  return createHandler(contract, async (call) => reply(pieces(call)));
}

describe("an answer that is sent as it is made", () => {
  it("has the contract's media type and all the pieces, in order", async () => {
    const route = streaming(async function* () {
      yield "one ";
      yield "zwölf";
    });
    const response = await testApp({ routes: [route] }).send("GET", "/v1/things/all");
    expect(response.headers.get("content-type")).toBe("text/plain");
    expect(await response.text()).toBe("one zwölf");
  });

  it("hands on bytes that come from elsewhere", async () => {
    const route = streaming(() => new Blob(["bytes"]).stream());
    const response = await testApp({ routes: [route] }).send("GET", "/v1/things/all");
    expect(await response.text()).toBe("bytes");
  });

  it("makes no piece that nobody has asked for, and none for a HEAD", async () => {
    let made = 0;
    const route = streaming(async function* () {
      for (; made < 10;) yield String((made += 1));
    });
    const { send } = testApp({ routes: [route] });
    expect((await send("HEAD", "/v1/things/all")).status).toBe(200);
    const response = await send("GET", "/v1/things/all");
    expect(made).toBe(0);
    const reader = response.body?.getReader();
    await reader?.read();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(made).toBe(1);
    await reader?.cancel();
  });

  it("breaks off where a piece cannot be made, and the log tells why", async () => {
    const route = streaming(async function* () {
      yield "a beginning";
      throw new TypeError("with a secret in it");
    });
    const { send, log } = testApp({ routes: [route] });
    const response = await send("GET", "/v1/things/all");
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(log.at(-1)).toMatchObject({
      level: "error",
      message: "defect",
      operation: "streamThings",
      name: "TypeError",
    });
    expect(JSON.stringify(log)).not.toContain("secret");
  });

  it("tells its maker when the client has gone, and lets it clean up", async () => {
    const seen: string[] = [];
    const route = streaming(async function* ({ signal }) {
      try {
        for (;;) yield "more";
      } finally {
        seen.push(signal.aborted ? "gone" : "here");
      }
    });
    const response = await testApp({ routes: [route] }).send("GET", "/v1/things/all");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(seen).toEqual(["gone"]);
  });

  it("takes no fault in a client that goes while a piece is made", async () => {
    let isAsked = () => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const route = streaming(async function* ({ signal }) {
      isAsked();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield "too late";
    });
    const { send, log } = testApp({ routes: [route] });
    const response = await send("GET", "/v1/things/all");
    const reader = response.body?.getReader();
    const reading = reader?.read();
    await asked;
    await reader?.cancel();
    expect(await reading).toMatchObject({ done: true });
    expect(log.map(({ message }) => message)).toEqual(["request"]);
  });
});
