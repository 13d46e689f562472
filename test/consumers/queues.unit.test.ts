import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

interface ConsumerSettings {
  queue: string;
  max_retries: number;
  max_concurrency: number;
  dead_letter_queue?: string;
}

/** Returns the tables of that name in wrangler.toml. Their values are all numbers or strings. */
async function tablesOf<Table>(name: string): Promise<Table[]> {
  const toml = await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const tables = toml.split(/^(?=\[)/m).filter((table) => table.startsWith(`[[${name}]]`));
  return tables.map((table) => {
    const rows = [...table.matchAll(/^(\w+) = (.+)$/gm)];
    // The tests check the fields that they use.
    return Object.fromEntries(rows.map(([, key, value = ""]) => [key, JSON.parse(value)])) as Table;
  });
}

test("every queue has a consumer and a dead letter queue, which has a consumer too", async () => {
  const producers = await tablesOf<{ queue: string }>("queues.producers");
  const consumers = await tablesOf<ConsumerSettings>("queues.consumers");
  expect(producers).toHaveLength(4);
  for (const { queue } of producers) {
    const consumer = consumers.find((one) => one.queue === queue);
    expect(consumer).toMatchObject({ dead_letter_queue: `${queue}-dead` });
    expect(consumers.map((one) => one.queue)).toContain(`${queue}-dead`);
  }
  expect(consumers.map(({ max_concurrency }) => max_concurrency)).not.toContain(undefined);
});

test("a dead letter is retried 100 times, the platform's maximum, before it is discarded", async () => {
  const consumers = await tablesOf<ConsumerSettings>("queues.consumers");
  const last = consumers.filter(({ dead_letter_queue }) => dead_letter_queue === undefined);
  expect(last.map(({ max_retries }) => max_retries)).toEqual([100, 100, 100, 100]);
});
