import * as base64url from "jose/base64url";
import type { SealingKey } from "./sealing-keys.ts";

/** What a secret belongs to. A sealed secret opens only under the same address. */
export interface SecretAddress {
  tenantId: string;
  kind: "pipeline" | "webhook";
  /** The name of the pipeline or webhook. */
  name: string;
  /** The id of the secret itself. */
  id: string;
}

/** Why a secret cannot be used to sign. */
export type SealFault =
  /** The text is not in the format of `seal`. */
  | "malformed"
  /** The environment has no key with this id. */
  | "unknown_key"
  /** The secret was altered, belongs to another row, or was sealed with another key of this id. */
  | "not_authentic"
  /** The pipeline or webhook has no secret. */
  | "missing";

/** A secret that could not be opened. It contains nothing secret. */
export interface UnopenedSecret extends Omit<SecretAddress, "id"> {
  id: string | null;
  keyId: string | null;
  fault: SealFault;
}

/** Seals secrets, so that the database and its backups do not contain them. */
export interface Sealer {
  /** Encrypts with the first key. */
  seal(address: SecretAddress, secret: Uint8Array): Promise<string>;
  /** Returns the secret, or why there is none. */
  open(address: SecretAddress, sealed: string): Promise<Uint8Array | Unopened>;
}

interface Unopened {
  keyId: string | null;
  fault: SealFault;
}

/** Raised if an answer needs a secret that cannot be opened: an outage, because its key is missing or it was altered. */
export class SecretUnavailable extends Error {
  override name = "SecretUnavailable";
}

const VERSION = "v1";
/** `v1.KEY_ID.NONCE.CIPHERTEXT`; nonce and ciphertext (with its tag) in Base64url. */
const SEALED = /^v1\.(?<keyId>[\w-]{1,16})\.(?<nonce>[\w-]{16})\.(?<ciphertext>[\w-]+)$/;
/** 96 bits: random nonces of this size may repeat only after about 2^32 secrets of one key (NIST SP 800-38D, 8.3). */
const NONCE_BYTES = 12;

/** The Worker and the tests in Node declare different CryptoKey types; this is the one of the current runtime. */
type AesKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Creates a sealer that uses AES-256-GCM. The first key seals; every key opens what it has sealed. */
export function createSealer(keys: readonly [SealingKey, ...SealingKey[]]): Sealer {
  const [first] = keys;
  const imported = new Map<string, AesKey>();
  // Caches the key, not its promise: a Worker request must not await I/O that another request started.
  const aesKey = async ({ id, key }: SealingKey) => {
    const known = imported.get(id) ?? (await importKey(key));
    imported.set(id, known);
    return known;
  };

  return {
    async seal(address, secret) {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const algorithm = { name: "AES-GCM", iv, additionalData: bindingOf(first.id, address) };
      const plain = Uint8Array.from(secret);
      const sealed = await crypto.subtle.encrypt(algorithm, await aesKey(first), plain);
      const parts = [VERSION, first.id, base64url.encode(iv)];
      return [...parts, base64url.encode(new Uint8Array(sealed))].join(".");
    },
    async open(address, sealed) {
      const { keyId, nonce, ciphertext } = SEALED.exec(sealed)?.groups ?? {};
      if (keyId === undefined || nonce === undefined || ciphertext === undefined) {
        return { keyId: null, fault: "malformed" };
      }
      const key = keys.find(({ id }) => id === keyId);
      if (key === undefined) return { keyId, fault: "unknown_key" };
      const iv = Uint8Array.from(base64url.decode(nonce));
      const algorithm = { name: "AES-GCM", iv, additionalData: bindingOf(keyId, address) };
      try {
        const bytes = Uint8Array.from(base64url.decode(ciphertext));
        const secret = await crypto.subtle.decrypt(algorithm, await aesKey(key), bytes);
        return new Uint8Array(secret);
      } catch {
        return { keyId, fault: "not_authentic" };
      }
    },
  };
}

/** The additional data: JSON delimits the parts, so no other address gives the same bytes. */
function bindingOf(
  keyId: string,
  { tenantId, kind, name, id }: SecretAddress,
): Uint8Array<ArrayBuffer> {
  const parts = [
    "stepledger.signing-secret",
    VERSION,
    keyId,
    tenantId.toLowerCase(),
    kind,
    name,
    id,
  ];
  return Uint8Array.from(new TextEncoder().encode(JSON.stringify(parts)));
}

function importKey(key: Uint8Array<ArrayBuffer>): Promise<AesKey> {
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
}
