import type { StaticFiles } from "../env.ts";
import type { SendingTools } from "../actions/outgoing/send-outgoing.ts";
import { keepDeadLetter } from "../db/ledger/dead-letters.ts";
import type { Outbound } from "../outbound/post-signed.ts";
import { bulkConsumer } from "./bulk.ts";
import { consume, type ConsumerTools, type MessageBatch } from "./consume.ts";
import { consumeDeadLetters, type GiveUp } from "./dead-letters.ts";
import { dispatchConsumer, giveUpMessage } from "./dispatches.ts";
import { seedConsumer } from "./seed.ts";
import { webhookConsumer } from "./webhooks.ts";

/** What the consumers of an isolate share. */
export interface ConsumerDependencies extends SendingTools {
  outbound: Outbound;
  /** The static files, which have the words of simulated teams. */
  assets: StaticFiles | undefined;
  reportDefect: ConsumerTools["reportDefect"];
}

/** Processes a batch of one of the queues in wrangler.toml. */
export type ConsumeBatch = (batch: MessageBatch) => Promise<void>;

/** The suffix of each queue's dead letter queue. */
const DEAD_LETTERS = /-dead$/;

/** Creates a function that passes each batch to the consumer of its queue. */
export function createConsumers(dependencies: ConsumerDependencies): ConsumeBatch {
  const { database, queues, outbound, reportDefect } = dependencies;
  const tools: ConsumerTools = {
    keepDeadLetter: (letter) => keepDeadLetter(database, letter),
    reportDefect,
  };
  const bulk = bulkConsumer(dependencies);
  const dispatches = dispatchConsumer(dependencies);
  const webhooks = webhookConsumer({ database, queue: queues.webhook, outbound });
  const seed = seedConsumer(dependencies);
  const consumers: Record<string, ConsumeBatch> = {
    "stepledger-bulk": (batch) => consume(batch, bulk, tools),
    "stepledger-dispatches": (batch) => consume(batch, dispatches, tools),
    "stepledger-webhooks": (batch) => consume(batch, webhooks, tools),
    "stepledger-seed": (batch) => consume(batch, seed, tools),
  };
  const givingUp: Record<string, GiveUp> = {
    "stepledger-dispatches-dead": (body) => giveUpMessage(dependencies, body),
  };
  return async (batch) => {
    if (DEAD_LETTERS.test(batch.queue)) {
      return consumeDeadLetters(batch, tools, givingUp[batch.queue]);
    }
    const consumer = consumers[batch.queue];
    if (consumer === undefined) throw new Error(`No consumer for the queue ${batch.queue}`);
    return consumer(batch);
  };
}
