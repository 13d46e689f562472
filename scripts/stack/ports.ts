import { createServer } from "node:net";

/** A TCP port of the loopback interface that was free a moment ago. */
export function freePort(): Promise<number> {
  return probePort(0);
}

/** @throws when another program listens on the port: its answers would be taken for ours. */
export async function requireFreePort(port: number): Promise<void> {
  try {
    await probePort(port);
  } catch (error) {
    throw new Error(`Port ${port} is taken: choose another with -- --port N`, { cause: error });
  }
}

async function probePort(port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("The socket has no port");
  return address.port;
}
