import { loadRoutes } from "../../../src/routes/app/areas.ts";
import type { Contract } from "../../../src/routes/http/contract.ts";
import type { Answer, CallOptions, Tenant, TestApi } from "../api.ts";
import { expectDocumented } from "../documented.ts";
import type { Sample, Things } from "./sample.ts";

const routes = await loadRoutes();

/** Method and path of a contract, as samples spell them. */
export const routeNameOf = ({ method, path }: Contract): string => `${method} ${path}`;

/** The contract of a sample's route. */
export function contractOf({ route }: Sample): Contract {
  const found = routes.find(({ contract }) => routeNameOf(contract) === route);
  if (found === undefined) throw new Error(`There is no route ${route}`);
  return found.contract;
}

/** The status of the answer to a sample that names things of the caller's own. */
export const statusOf = (sample: Sample): number =>
  sample.status ?? contractOf(sample).response.status;

/** The status of the answer if every name that need not exist is unknown. */
export const statusWithoutOf = (sample: Sample): number => sample.statusWithout ?? statusOf(sample);

/** The tenant that sends requests to a route: the demo if the route works only in demos, and otherwise the first tenant. */
export async function senderOf(api: TestApi, { demoOnly }: Contract): Promise<Tenant> {
  return demoOnly ? api.demoTenant() : api.tenant;
}

/** The value of each placeholder of a request. */
export type Named = Readonly<Record<string, string>>;

/** The values of a sample's placeholders, if the caller names these things. */
export function namesIn({ names }: Sample, things: Things): Named {
  return Object.fromEntries(Object.entries(names).map(([place, kind]) => [place, things[kind]]));
}

/**
 * Sends a sample with these names, by default as the sender of its route. If the route takes an idempotency key, the
 * sample gets a fresh one by default. The answer must be as the OpenAPI document describes it.
 */
export async function sendSample(
  api: TestApi,
  sample: Sample,
  named: Named,
  options: CallOptions = {},
): Promise<Answer> {
  const contract = contractOf(sample);
  const { method, idempotency } = contract;
  const { as = "admin", fixed, query, body, content } = sample;
  const values: Named = { ...fixed, ...named };
  const fill = (template: string) =>
    template.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
  const [, path = ""] = sample.route.split(" /v1");
  const answer = await api.call(method, fill(query === undefined ? path : `${path}?${query}`), {
    as,
    ...(body !== undefined && { body: fill(JSON.stringify(body)) }),
    ...(content !== undefined && { body: content }),
    tenant: options.tenant ?? (await senderOf(api, contract)),
    ...(idempotency !== "none" && { idempotencyKey: crypto.randomUUID() }),
    ...options,
    headers: { ...(content !== undefined && { "content-type": "text/plain" }), ...options.headers },
  });
  expectDocumented(contract, answer);
  return answer;
}
