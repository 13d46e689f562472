import type { TokenSigner } from "../../actions/call/signed-token.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import type { Actor } from "../../domain/actor.ts";
import type { Settings } from "../../env.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import type { BlobStore } from "../../storage/blobs.ts";
import type { Authenticate } from "./principal.ts";
import type { ErrorCode } from "./problem.ts";

/** What all requests of an isolate share. */
export interface Edge {
  settings: Settings;
  signer: TokenSigner;
  authenticate: Authenticate;
  isWithinLimit: (bucket: string) => Promise<boolean>;
  isDatabaseReady: () => Promise<boolean>;
  blobs: BlobStore;
  outbound: Outbound;
  now: () => Date;
  /** Logs an error that nobody expected and that no answer can tell any more. */
  reportDefect: (trace: Trace, error: unknown) => void;
}

/** What becomes known of one request while it is answered; its log line is made from it. */
export interface Trace {
  requestId: string;
  operationId: string | null;
  tenantId: string | null;
  actor: Actor | null;
  database: TenantDatabase | null;
  error: ErrorCode | null;
  replayed: boolean;
}

export interface EdgeContext {
  edge: Edge;
  trace: Trace;
  request: Request;
  pathParameters: Readonly<Record<string, string>>;
}
