import { isAddress, isLoopback, isPublicAddress } from "./address-ranges.ts";

export interface EndpointRules {
  /** On a developer's own machine: plain http is taken too, to loopback alone. */
  allowsLoopback: boolean;
  /** Names of the service itself: what is under them is not called. */
  ownHosts: readonly string[];
}

export type JudgedEndpoint = { ok: true; url: URL } | { ok: false; detail: string };

export const ENDPOINT_LENGTH_MAX = 2000;

/** Names that mean something on somebody's own network alone (RFC 6761, 6762, 8375, and ICANN's `internal`). */
const LOCAL_NAMES = ["localhost", "local", "internal", "home.arpa"];

/**
 * Judges where a tenant wants to be called: https, a public host, and not this service. Of a name it says nothing
 * about what is behind it: that is asked at each call.
 */
export function judgeEndpoint(
  text: string,
  { allowsLoopback, ownHosts }: EndpointRules,
): JudgedEndpoint {
  const url = text.length > ENDPOINT_LENGTH_MAX ? null : URL.parse(text);
  if (url === null) return no("It is no URL.");
  const { protocol, hostname } = url;
  if (url.username !== "" || url.password !== "") return no("It holds credentials.");
  if (allowsLoopback && isLoopback(hostname) && /^https?:$/.test(protocol))
    return { ok: true, url };
  if (protocol !== "https:") return no("It is not https.");
  if (isAddress(hostname)) {
    return isPublicAddress(hostname) ? { ok: true, url } : no("Its address is not public.");
  }
  if (hostname.endsWith(".") || !hostname.includes(".") || isUnder(hostname, LOCAL_NAMES)) {
    return no("Its host is not a public name.");
  }
  if (isUnder(hostname, ownHosts)) return no("It is this service itself.");
  return { ok: true, url };
}

const no = (detail: string): JudgedEndpoint => ({ ok: false, detail });

function isUnder(hostname: string, names: readonly string[]): boolean {
  return names.some((name) => hostname === name || hostname.endsWith(`.${name}`));
}
