import { randomInt } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import type { TestProject } from "vitest/node";
import type { SigningAlgorithm, SigningKeys, TestStack } from "../stack.ts";
import { TestDatabases } from "./databases.ts";

/**
 * Runs once before all tests, in Node. It starts a loopback server that creates databases for test files and publishes
 * the keys that tests sign tokens with. PostgreSQL starts with the first request for a database.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const databases = new TestDatabases();
  const { keys, jwks } = await createKeys();

  const server = createServer((request, response) => {
    route(request, databases, jwks).then(
      ({ status, body }) => {
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(JSON.stringify(body));
      },
      (error: unknown) => {
        response.writeHead(500, { "Content-Type": "text/plain" });
        response.end(error instanceof Error ? (error.stack ?? error.message) : String(error));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  const url = `http://127.0.0.1:${address.port}`;

  const stack: TestStack = {
    controlUrl: url,
    issuer: "https://issuer.test",
    audience: "stepledger-test",
    jwksUrl: `${url}/.well-known/jwks.json`,
    keys,
    seed: Number(process.env["SEED"] ?? randomInt(2 ** 31)),
    dispatches: Number(process.env["DISPATCHES"] ?? 300),
    tasks: Number(process.env["TASKS"] ?? 4000),
    hotMoves: Number(process.env["HOT_MOVES"] ?? 4000),
    nastyStride: Number(process.env["NASTY_STRIDE"] ?? 3),
    faultStride: Number(process.env["FAULT_STRIDE"] ?? 2),
  };
  project.provide("stack", stack);

  return async () => {
    server.closeAllConnections();
    server.close();
    await databases.stop();
  };
}

async function route(
  request: IncomingMessage,
  databases: TestDatabases,
  jwks: { keys: JWK[] },
): Promise<{ status: number; body: unknown }> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const name = /^\/databases\/(\w+)$/.exec(pathname)?.[1];
  if (request.method === "POST" && pathname === "/databases") {
    return { status: 201, body: await databases.create() };
  }
  if (request.method === "DELETE" && name !== undefined) {
    await databases.drop(name);
    return { status: 200, body: {} };
  }
  if (pathname === "/.well-known/jwks.json") return { status: 200, body: jwks };
  return { status: 404, body: {} };
}

/** Creates a key pair for each algorithm that the service accepts, and one that the issuer does not publish. */
async function createKeys(): Promise<{ keys: SigningKeys; jwks: { keys: JWK[] } }> {
  const pair = async (alg: SigningAlgorithm, kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const members = { kid, alg, use: "sig" };
    return {
      private: { ...(await exportJWK(privateKey)), ...members },
      public: { ...(await exportJWK(publicKey)), ...members },
    };
  };
  const [rs256, es256, edDsa, stranger] = await Promise.all([
    pair("RS256", "test-rs256"),
    pair("ES256", "test-es256"),
    pair("EdDSA", "test-eddsa"),
    pair("ES256", "test-es256"),
  ]);
  return {
    keys: {
      RS256: rs256.private,
      ES256: es256.private,
      EdDSA: edDsa.private,
      stranger: stranger.private,
      publicRS256: rs256.public,
    },
    jwks: { keys: [rs256.public, es256.public, edDsa.public] },
  };
}
