import type { Outbound } from "../../src/outbound/post-signed.ts";
import { testSealer } from "./sealing.ts";

/** Outbound calls of a developer's machine, with a DNS that resolves every name to one public address. */
export function testOutbound(parts: Partial<Outbound> = {}): Outbound {
  return {
    fetch: (...request) => fetch(...request),
    resolveHost: async () => ["93.184.216.34"],
    allowsLoopback: true,
    ownHosts: [],
    sealer: testSealer(),
    reportUnopened: (secret) => {
      throw new Error(`A secret did not open: ${JSON.stringify(secret)}`);
    },
    ...parts,
  };
}
