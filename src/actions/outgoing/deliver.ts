/** Whether a queue message is done or must be retried. */
export type Delivery = "done" | { retryAfterSeconds: number };

/** What claiming a delivery finds. */
type Claim<Attempt> =
  | { outcome: "begun"; delivery: Attempt }
  /** It is not due yet, or another worker holds its lease. */
  | { outcome: "later"; seconds: number }
  /** There is nothing left to send. */
  | { outcome: "settled" };

/** How to deliver one kind of message. */
interface Steps<Attempt, End> {
  /** Takes the lease. */
  claim: () => Promise<Claim<Attempt>>;
  post: (attempt: Attempt) => Promise<End>;
  /** Records how the attempt ended, and releases the lease. */
  record: (end: End) => Promise<void>;
}

/**
 * Makes one attempt at a delivery: takes a lease, posts the message and records the result. If it stops in between, the
 * lease expires and a later attempt posts the message again, under the same id.
 */
export async function deliver<Attempt, End extends { state: string; delaySeconds?: number }>({
  claim,
  post,
  record,
}: Steps<Attempt, End>): Promise<Delivery> {
  const claimed = await claim();
  if (claimed.outcome === "settled") return "done";
  if (claimed.outcome === "later") return { retryAfterSeconds: claimed.seconds };
  const end = await post(claimed.delivery);
  await record(end);
  return end.delaySeconds === undefined ? "done" : { retryAfterSeconds: end.delaySeconds };
}
