import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { newSecret, parseSecret, secretText } from "../../src/outbound/secrets.ts";

describe("a secret", () => {
  test("survives the round trip through its text and signs the same", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 64 }), (secret) => {
        const text = secretText(secret);
        expect(parseSecret(text)).toEqual(secret);
        const [at, body] = [new Date(0), "{}"];
        const signed = new Webhook(secret, { format: "raw" }).sign("id", at, body);
        expect(new Webhook(text).sign("id", at, body)).toBe(signed);
      }),
    );
  });

  test("is valid and unique when the service generates it", () => {
    const texts = Array.from({ length: 100 }, () => secretText(newSecret()));
    expect(new Set(texts).size).toBe(100);
    expect(texts.map(parseSecret)).not.toContain(null);
  });

  const valid = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
  test.each([
    ["without its prefix", valid],
    ["too short", `whsec_${btoa("x".repeat(23))}`],
    ["too long", `whsec_${btoa("x".repeat(65))}`],
    ["without its padding", `whsec_${valid.slice(0, -1)}`],
    ["with a space", `whsec_${valid.replace("q", " ")}`],
    ["with a URL-safe base64 character", `whsec_${valid.replace("q", "-")}`],
    ["empty", "whsec_"],
  ])("%s is rejected", (_, text) => {
    expect(parseSecret(text)).toBeNull();
  });
});
