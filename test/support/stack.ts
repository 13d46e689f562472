import type { JWK } from "jose";

export type SigningAlgorithm = "RS256" | "ES256" | "EdDSA";

/**
 * Private keys whose public halves the test issuer publishes. `stranger` has a published `kid` but is another key.
 * `publicRS256` is the published key itself, for forgeries that use it as an HMAC secret.
 */
export type SigningKeys = Record<SigningAlgorithm, JWK> & { stranger: JWK; publicRS256: JWK };

/** What the global setup provides to every test, in Node and in workerd. */
export interface TestStack {
  controlUrl: string;
  issuer: string;
  audience: string;
  jwksUrl: string;
  keys: SigningKeys;
  /** The seed of random tests: SEED of the environment, or a new one for each run. */
  seed: number;
  /** How many dispatches the proof of delivery sends: DISPATCHES of the environment, or 300. */
  dispatches: number;
  /** How many tasks the largest operation of the proofs has: TASKS of the environment, or 4,000. */
  tasks: number;
  /** How many moves of hot tasks the proof of their locks asks for: HOT_MOVES of the environment, or 4,000. */
  hotMoves: number;
  /** One of this many nasty values of each parameter is sent: NASTY_STRIDE of the environment, or 3. 1 sends all. */
  nastyStride: number;
  /** Each write meets one of this many faults of the database: FAULT_STRIDE of the environment, or 2. 1 sends all. */
  faultStride: number;
}

/** The addresses of a test's database. */
export interface DatabaseAddresses {
  name: string;
  /** For the role of the application. */
  databaseUrl: string;
  /** For the owner of the schema. */
  migrationDatabaseUrl: string;
  superuserUrl: string;
  proxyUrl: string;
  fetchEndpoint: string;
}

declare module "vitest" {
  interface ProvidedContext {
    stack: TestStack;
  }
}
