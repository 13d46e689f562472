import type * as z from "zod";
import { describe, expect, it } from "vitest";
import { type Call, reply } from "../../src/routes/http/call.ts";
import { defineContract } from "../../src/routes/http/contract.ts";
import { createHandler, type Route } from "../../src/routes/http/create-handler.ts";
import { byteStream } from "../../src/routes/http/streaming.ts";
import { testApp } from "./support.ts";

/** Creates a route that streams the chunks that a test generates. */
function streaming(chunksFor: (call: Call) => z.input<typeof byteStream>): Route {
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
  return createHandler(contract, async (call) => reply(chunksFor(call)));
}

describe("a streamed response", () => {
  it("has the contract's media type and every chunk in order", async () => {
    const route = streaming(async function* () {
      yield "one ";
      yield "zwölf";
    });
    const response = await testApp({ routes: [route] }).send("GET", "/v1/things/all");
    expect(response.headers.get("content-type")).toBe("text/plain");
    expect(await response.text()).toBe("one zwölf");
  });

  it("passes on the bytes of another stream", async () => {
    const route = streaming(() => new Blob(["bytes"]).stream());
    const response = await testApp({ routes: [route] }).send("GET", "/v1/things/all");
    expect(await response.text()).toBe("bytes");
  });

  it("generates a chunk only when the client reads it, and none for HEAD", async () => {
    let generated = 0;
    const route = streaming(async function* () {
      for (; generated < 10;) yield String((generated += 1));
    });
    const { send } = testApp({ routes: [route] });
    expect((await send("HEAD", "/v1/things/all")).status).toBe(200);
    const response = await send("GET", "/v1/things/all");
    expect(generated).toBe(0);
    const reader = response.body?.getReader();
    await reader?.read();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(generated).toBe(1);
    await reader?.cancel();
  });

  it("aborts if a chunk cannot be generated, and logs the reason", async () => {
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

  it("notifies its generator when the client disconnects, so that it can clean up", async () => {
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

  it("logs no error if the client disconnects while a chunk is generated", async () => {
    let markStarted = () => {};
    const started = new Promise<void>((resolve) => (markStarted = resolve));
    const route = streaming(async function* ({ signal }) {
      markStarted();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield "too late";
    });
    const { send, log } = testApp({ routes: [route] });
    const response = await send("GET", "/v1/things/all");
    const reader = response.body?.getReader();
    const reading = reader?.read();
    await started;
    await reader?.cancel();
    expect(await reading).toMatchObject({ done: true });
    expect(log.map(({ message }) => message)).toEqual(["request"]);
  });
});
