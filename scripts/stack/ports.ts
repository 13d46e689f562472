import { createServer } from "node:net";

/** Returns a TCP port of the loopback interface that was free at the time of the call. */
export function freePort(): Promise<number> {
  return probePort(0);
}

/** @throws if another program listens on the port: its answers could be mistaken for those of the stack. */
export async function requireFreePort(port: number): Promise<void> {
  try {
    await probePort(port);
  } catch (error) {
    throw new Error(`Port ${port} is in use. Choose another one with -- --port N.`, {
      cause: error,
    });
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
