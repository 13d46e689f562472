import { expect, vi } from "vitest";
import type { ErrorCode } from "../../src/routes/http/problem.ts";
import type { Answer, TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";

/** An expected refusal: its status, its code and the members that the code declares. */
export interface Expected {
  status: number;
  error: ErrorCode;
  [member: string]: unknown;
}

/** Matches an issue of the input by its path and code. */
export function issue(path: (string | number)[], code: unknown): unknown {
  return expect.objectContaining({ path, code });
}

/** Expects `validation_failed` with exactly these issues, in this order. */
export function invalid(...issues: unknown[]): Expected {
  return { status: 400, error: "validation_failed", issues };
}

/** Checks that the call is refused exactly as expected and writes nothing. Returns its response. */
export async function expectRefused(
  api: TestApi,
  call: () => Promise<Answer<unknown>>,
  expected: Expected,
): Promise<Answer<unknown>> {
  const [answer = expect.fail("There is no answer")] = await expectAllRefused(
    api,
    [call],
    expected,
  );
  return answer;
}

/** Checks that each call is refused exactly as expected and that none writes anything. Returns their responses. */
export async function expectAllRefused(
  api: TestApi,
  calls: readonly (() => Promise<Answer<unknown>>)[],
  expected: Expected,
): Promise<Answer<unknown>[]> {
  const before = await contentsOf(api.database);
  const answers: Answer<unknown>[] = [];
  for (const call of calls) {
    const answer = await call();
    expectProblem(answer, expected);
    answers.push(answer);
  }
  expect(await contentsOf(api.database)).toEqual(before);
  return answers;
}

/** Checks that the response is exactly the expected problem. */
export function expectProblem(
  { status, body, headers }: Answer<unknown>,
  expected: Expected,
): void {
  const common = {
    type: `/docs/errors#${expected.error}`,
    title: expect.stringMatching(/\S/),
    detail: expect.stringMatching(/\S/),
    instance: headers.get("x-request-id"),
    retry: expect.stringMatching(/^(same|reload|never)$/),
  };
  expect(body).toEqual({ ...common, ...expected });
  expect(status).toBe(expected.status);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
}

/** Sends what `api.call` cannot: bytes, streams and invalid headers. */
export async function send(
  api: TestApi,
  method: string,
  path: string,
  init: Omit<RequestInit, "headers"> & {
    headers?: Record<string, string>;
    bearer?: string | null;
  } = {},
): Promise<Answer<unknown>> {
  const { bearer = api.tenant.keys.admin, ...rest } = init;
  const response = await api.fetch(`/v1${path}`, {
    ...rest,
    method,
    headers: { ...(bearer !== null && { authorization: `Bearer ${bearer}` }), ...rest.headers },
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, body: text === "" ? undefined : JSON.parse(text) };
}

/** Returns every line that the service logs while `run` runs. */
export async function logged(run: () => Promise<unknown>): Promise<string[]> {
  const methods = ["log", "info", "warn", "error", "debug"] as const;
  const spies = methods.map((method) => vi.spyOn(console, method).mockReturnValue());
  try {
    await run();
    return spies.flatMap(({ mock }) => mock.calls.map((words) => words.join(" ")));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
