import { Client } from "pg";

/** Connects as the owner of the database, and disconnects when the work has ended. */
export async function withOwner<Value>(
  connectionString: string,
  work: (client: Client) => Promise<Value>,
): Promise<Value> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
