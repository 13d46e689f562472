import { Webhook } from "standardwebhooks";

/** What a signature covers, and the secrets that sign it. */
export interface Signed {
  id: string;
  /** The time of this attempt. */
  timestamp: Date;
  body: string;
  /** At least one: the current secret, and earlier ones until they expire. Each signs the message. */
  secrets: readonly Uint8Array[];
}

/** Returns the headers of a message, in the format of Standard Webhooks. */
export function signedHeaders({ id, timestamp, body, secrets }: Signed) {
  const signatures = secrets.map((secret) =>
    new Webhook(secret, { format: "raw" }).sign(id, timestamp, body),
  );
  return {
    "content-type": "application/json",
    "user-agent": "stepledger",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(timestamp.getTime() / 1000)),
    "webhook-signature": signatures.join(" "),
  };
}
