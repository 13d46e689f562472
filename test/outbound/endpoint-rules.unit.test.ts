import { describe, expect, test } from "vitest";
import { judgeEndpoint } from "../../src/outbound/endpoint-rules.ts";
import { FORBIDDEN_ENDPOINTS, NOT_PUBLIC } from "../support/forbidden-endpoints.ts";

const RULES = { allowsLoopback: false, ownHosts: ["stepledger.example.com"] };
const ON_A_DEVELOPERS_MACHINE = { ...RULES, allowsLoopback: true };

const detailOf = (url: string, rules = RULES) => {
  const judged = judgeEndpoint(url, rules);
  return judged.ok ? "allowed" : judged.detail;
};

describe("an endpoint URL", () => {
  test.each(FORBIDDEN_ENDPOINTS)("%j is rejected: %s", (url, detail) => {
    expect(detailOf(url)).toBe(detail);
  });

  test.each([
    "https://hooks.example.com/pipelines?token=1",
    "https://hooks.example.com:8443/",
    "https://example.com",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://xn--bcher-kva.example/",
    "https://notstepledger.example.com.example.org/",
    "https://internal.example.com/",
  ])("%j is allowed", (url) => {
    expect(detailOf(url)).toBe("allowed");
  });
});

describe("on a developer's own machine", () => {
  test.each([
    "http://127.0.0.1:9000/hook",
    "http://localhost:9000/hook",
    "http://[::1]:9000/",
    "https://127.0.0.1/",
    "http://127.1/",
  ])("the endpoint %j is allowed", (url) => {
    expect(detailOf(url, ON_A_DEVELOPERS_MACHINE)).toBe("allowed");
  });

  test.each([
    ["http://10.0.0.1/", "The URL must use https."],
    ["http://example.com/", "The URL must use https."],
    ["https://192.168.1.1/", NOT_PUBLIC],
    ["https://[::ffff:127.0.0.1]/", NOT_PUBLIC],
    ["file://localhost/etc/passwd", "The URL must use https."],
    ["http://user@127.0.0.1/", "The URL must not contain credentials."],
  ])("the endpoint %j is still rejected: %s", (url, detail) => {
    expect(detailOf(url, ON_A_DEVELOPERS_MACHINE)).toBe(detail);
  });
});
