import { isAddress, isLoopback, isPublicAddress } from "./address-ranges.ts";

export interface EndpointRules {
  /** Also allows loopback addresses, with https or plain http. Only for local development. */
  allowsLoopback: boolean;
  /** The service's own host names. They and their subdomains are not called. */
  ownHosts: readonly string[];
}

export type JudgedEndpoint = { ok: true; url: URL } | { ok: false; detail: string };

export const ENDPOINT_LENGTH_MAX = 2000;

/** Names that only have a meaning on a local network (RFC 6761, 6762, 8375, and ICANN's `internal`). */
const LOCAL_NAMES = ["localhost", "local", "internal", "home.arpa"];

/**
 * Checks the URL of a tenant's endpoint: https, a public host, and not this service. It does not resolve the host name,
 * because the name may resolve differently on each call.
 */
export function judgeEndpoint(
  text: string,
  { allowsLoopback, ownHosts }: EndpointRules,
): JudgedEndpoint {
  const url = text.length > ENDPOINT_LENGTH_MAX ? null : URL.parse(text);
  if (url === null) return no("The URL is not valid.");
  const { protocol, hostname } = url;
  if (url.username !== "" || url.password !== "")
    return no("The URL must not contain credentials.");
  if (allowsLoopback && isLoopback(hostname) && /^https?:$/.test(protocol))
    return { ok: true, url };
  if (protocol !== "https:") return no("The URL must use https.");
  if (isAddress(hostname)) {
    return isPublicAddress(hostname) ? { ok: true, url } : no("The address is not public.");
  }
  if (hostname.endsWith(".") || !hostname.includes(".") || isUnder(hostname, LOCAL_NAMES)) {
    return no("The host is not a public name.");
  }
  if (isUnder(hostname, ownHosts)) return no("The URL points to this service itself.");
  return { ok: true, url };
}

const no = (detail: string): JudgedEndpoint => ({ ok: false, detail });

function isUnder(hostname: string, names: readonly string[]): boolean {
  return names.some((name) => hostname === name || hostname.endsWith(`.${name}`));
}
