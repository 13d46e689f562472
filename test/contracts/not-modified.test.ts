import { beforeAll, describe, expect, test } from "vitest";
import { freshApi, type TestApi } from "../support/api.ts";
import { titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, namesIn, sendSample } from "../support/samples/send-sample.ts";
import { givenThings } from "../support/samples/things.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const CONDITIONAL = SAMPLES.filter((sample) => {
  const { method, response } = contractOf(sample);
  return method === "GET" && response.headers?.includes("ETag") === true;
});

describe("a read whose contract has an entity tag", () => {
  test.each(CONDITIONAL.map((sample) => [titleOf(sample), sample] as const))(
    "%s answers 304 with the same tag to a caller who has it",
    async (_, sample) => {
      const named = namesIn(sample, await givenThings(api, sample));
      const first = await sendSample(api, sample, named);
      const etag = first.headers.get("etag") ?? expect.fail("no entity tag");
      const headers = { "if-none-match": etag };
      const again = await sendSample(api, sample, named, { headers });
      expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
    },
  );
});
