/** A part of the address space: its prefix, whether it is public, and its purpose. */
type AddressRange = readonly [prefix: string, isPublic: boolean, purpose: string];

/**
 * The ranges that cover every address; the longest matching prefix decides. Sources: the IANA special-purpose address
 * registries (RFC 6890 and its successors), the multicast registries, and RFC 4291 for the allocated part of IPv6.
 * IPv6 ranges that embed an IPv4 address are not public, whatever address they embed.
 */
export const ADDRESS_RANGES: readonly AddressRange[] = [
  ["0.0.0.0/0", true, "the rest of IPv4"],
  ["0.0.0.0/8", false, "this network (RFC 791)"],
  ["10.0.0.0/8", false, "private (RFC 1918)"],
  ["100.64.0.0/10", false, "shared by carriers (RFC 6598)"],
  ["127.0.0.0/8", false, "loopback (RFC 1122)"],
  ["169.254.0.0/16", false, "link-local (RFC 3927)"],
  ["172.16.0.0/12", false, "private (RFC 1918)"],
  ["192.0.0.0/24", false, "protocol assignments (RFC 6890)"],
  ["192.0.2.0/24", false, "documentation (RFC 5737)"],
  ["192.31.196.0/24", false, "AS112 (RFC 7535)"],
  ["192.52.193.0/24", false, "multicast tunnels (RFC 7450)"],
  ["192.88.99.0/24", false, "6to4 relays (RFC 7526)"],
  ["192.168.0.0/16", false, "private (RFC 1918)"],
  ["192.175.48.0/24", false, "AS112 (RFC 7534)"],
  ["198.18.0.0/15", false, "benchmarking (RFC 2544)"],
  ["198.51.100.0/24", false, "documentation (RFC 5737)"],
  ["203.0.113.0/24", false, "documentation (RFC 5737)"],
  ["224.0.0.0/4", false, "multicast (RFC 1112)"],
  ["240.0.0.0/4", false, "reserved (RFC 1112)"],
  ["255.255.255.255/32", false, "broadcast (RFC 919)"],
  ["::/0", false, "the rest of IPv6, unallocated (RFC 4291)"],
  ["2000::/3", true, "global unicast (RFC 4291)"],
  ["::/128", false, "unspecified (RFC 4291)"],
  ["::1/128", false, "loopback (RFC 4291)"],
  ["::/96", false, "IPv4-compatible (RFC 4291)"],
  ["::ffff:0:0/96", false, "IPv4-mapped (RFC 4291)"],
  ["::ffff:0:0:0/96", false, "IPv4-translated (RFC 2765)"],
  ["64:ff9b::/96", false, "NAT64 (RFC 6052)"],
  ["64:ff9b:1::/48", false, "local NAT64 (RFC 8215)"],
  ["100::/64", false, "discard (RFC 6666)"],
  ["100:0:0:1::/64", false, "dummy prefix (RFC 9780)"],
  ["2001::/23", false, "protocol assignments, Teredo, ORCHID (RFC 2928)"],
  ["2001:db8::/32", false, "documentation (RFC 3849)"],
  ["2002::/16", false, "6to4 (RFC 3056)"],
  ["2620:4f:8000::/48", false, "AS112 (RFC 7534)"],
  ["3fff::/20", false, "documentation (RFC 9637)"],
  ["5f00::/16", false, "segment routing (RFC 9602)"],
  ["fc00::/7", false, "unique local (RFC 4193)"],
  ["fe80::/10", false, "link-local (RFC 4291)"],
  ["fec0::/10", false, "site-local (RFC 3879)"],
  ["ff00::/8", false, "multicast (RFC 4291)"],
];

interface Address {
  bits: 32 | 128;
  value: bigint;
}

const LONGEST_FIRST = ADDRESS_RANGES.map(([prefix, isPublic]) => {
  const [first = "", length] = prefix.split("/");
  const address = parseAddress(first);
  if (address === null) throw new Error(`Invalid prefix: ${prefix}`);
  return { ...address, length: Number(length), isPublic };
}).toSorted((one, other) => other.length - one.length);

/** Whether a host is an address and not a name. Expects the spelling of `URL.hostname`. */
export function isAddress(hostname: string): boolean {
  return parseAddress(unbracketed(hostname)) !== null;
}

/** Whether a text is an address of the public internet. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(unbracketed(text));
  if (address === null) return false;
  const { bits, value } = address;
  const range = LONGEST_FIRST.find((row) => {
    const shift = BigInt(row.bits - row.length);
    return row.bits === bits && row.value >> shift === value >> shift;
  });
  return range?.isPublic === true;
}

/** Whether a host is the local machine. */
export function isLoopback(hostname: string): boolean {
  const address = parseAddress(unbracketed(hostname));
  if (address === null) return hostname === "localhost";
  return address.bits === 32 ? address.value >> 24n === 127n : address.value === 1n;
}

function unbracketed(text: string): string {
  return text.replace(/^\[(.*)\]$/, "$1");
}

/** Parses an address in any spelling that a URL allows; null for anything else. */
function parseAddress(text: string): Address | null {
  if (!/^[\da-fx:.]+$/i.test(text)) return null;
  const isSix = text.includes(":");
  const spelled = URL.parse(isSix ? `http://[${text}]/` : `http://${text}/`)?.hostname;
  if (spelled === undefined) return null;
  if (isSix) return { bits: 128, value: joined(groupsOf(unbracketed(spelled)), 16n) };
  const isFour = /^\d+\.\d+\.\d+\.\d+$/.test(spelled);
  return isFour ? { bits: 32, value: joined(spelled.split(".").map(Number), 8n) } : null;
}

/** The eight groups of an IPv6 address that may abbreviate a run of zeros as `::`. */
function groupsOf(spelled: string): number[] {
  const [head = [], tail] = spelled.split("::").map((part) =>
    part
      .split(":")
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16)),
  );
  if (tail === undefined) return head;
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function joined(parts: readonly number[], bitsEach: bigint): bigint {
  return parts.reduce((value, part) => (value << bitsEach) | BigInt(part), 0n);
}
