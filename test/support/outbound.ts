import type { Outbound } from "../../src/outbound/post-signed.ts";

/** The way out of a developer's own machine, with a DNS in which every name leads to one public address. */
export function testOutbound(parts: Partial<Outbound> = {}): Outbound {
  return {
    fetch: (...request) => fetch(...request),
    resolveHost: async () => ["93.184.216.34"],
    allowsLoopback: true,
    ownHosts: [],
    ...parts,
  };
}
