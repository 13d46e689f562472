import type { JWK } from "jose";

export type SigningAlgorithm = "RS256" | "ES256" | "EdDSA";

/**
 * Private keys whose public halves the test issuer publishes; `stranger` bears a published `kid` but is another key,
 * and `publicRS256` is the published key itself, for forgeries that use it as an HMAC secret.
 */
export type SigningKeys = Record<SigningAlgorithm, JWK> & { stranger: JWK; publicRS256: JWK };

/** What the global setup tells every test, in Node and in workerd. */
export interface TestStack {
  controlUrl: string;
  issuer: string;
  audience: string;
  jwksUrl: string;
  keys: SigningKeys;
  /** What random tests begin with: SEED of the environment, or another one each run. */
  seed: number;
  /** How many dispatches the proof of their delivery sends: DISPATCHES of the environment, or few. */
  dispatches: number;
  /** How many tasks the largest operation of the proofs takes: TASKS of the environment, or a few thousand. */
  tasks: number;
}

/** Where one database of a test is found. */
export interface DatabaseAddresses {
  name: string;
  /** As the application's role. */
  databaseUrl: string;
  /** As the owner of the schema. */
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
