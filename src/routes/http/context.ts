import type { TokenSigner } from "../../actions/call/signed-token.ts";
import type { Settings } from "../../env.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import type { BlobStore } from "../../storage/blobs.ts";
import type { Authenticate } from "./principal.ts";
import type { CheckReadiness } from "./readiness.ts";
import type { LargeCalls } from "./turns.ts";
import type { Trace } from "./trace.ts";

/** The settings and dependencies that all requests of an isolate share. */
export interface Edge {
  settings: Settings;
  signer: TokenSigner;
  authenticate: Authenticate;
  isWithinLimit: (bucket: string) => Promise<boolean>;
  checkReadiness: CheckReadiness;
  large: LargeCalls;
  blobs: BlobStore;
  outbound: Outbound;
  now: () => Date;
  /** Logs an unexpected error. */
  reportDefect: (trace: Trace, error: unknown) => void;
}

export interface EdgeContext {
  edge: Edge;
  trace: Trace;
  request: Request;
  pathParameters: Readonly<Record<string, string>>;
  /** Lets work go on after the answer, or if the client disconnects. */
  waitUntil: (work: Promise<unknown>) => void;
}
