import { beforeAll, expect, it } from "vitest";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { silenceLog } from "../../support/model/quiet.ts";
import { givenKeyOf, givenPerson, peopleOf, type PersonPage } from "./support.ts";

silenceLog();

let api: TestApi;
let ids: Record<"ada" | "grace" | "alan" | "key", string>;
beforeAll(async () => {
  api = await freshApi();
  const ada = await givenPerson(api, { name: "Ada", subject: "ada", role: "admin" });
  const grace = await givenPerson(api, { name: "Grace", email: "Grace@example.com" });
  const alan = await givenPerson(api, { name: "Alan", active: false });
  const { id: key } = await givenKeyOf(api, grace);
  ids = { ada: ada.id, grace: grace.id, alan: alan.id, key };
});

it.each<[string, string, ("ada" | "grace" | "alan")[]]>([
  ["everyone", "", ["ada", "alan", "grace"]],
  ["who is active", "active=true", ["ada", "grace"]],
  ["who is not", "active=false", ["alan"]],
  ["who has a role of their own", "role=admin", ["ada"]],
  ["who has a subject", "subject=ada", ["ada"]],
  ["who has an address, in any case", "email=grace@EXAMPLE.com", ["grace"]],
  ["whose token an actor's id is", "actorId=ada", ["ada"]],
  ["whose key an actor's id is", "actorId={key}", ["grace"]],
  ["nobody for a machine", "actorId={machine}", []],
  ["nobody if one filter does not match", "active=false&role=admin", []],
])("GET /v1/people lists %s", async (_who, query, names) => {
  const me = await api.call<{ actor: { id: string } }>("GET", "/me");
  const machine = expectDone(me).actor.id;
  const found = await peopleOf(api, query.replace("{key}", ids.key).replace("{machine}", machine));
  expect(found.map(({ id }) => id).toSorted()).toEqual(names.map((name) => ids[name]).toSorted());
});

it("GET /v1/people returns pages, newest first", async () => {
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = await api.call<PersonPage>("GET", `/people?limit=2${query}`);
    const { data, nextCursor } = expectDone(page);
    seen.push(...data.map(({ id }) => id));
    cursor = nextCursor;
  }
  expect(seen).toEqual(seen.toSorted().toReversed());
  expect(seen.toSorted()).toEqual([ids.ada, ids.alan, ids.grace].toSorted());
});

it("GET /v1/people/{personId} returns one person, to people of the same tenant only", async () => {
  const path = `/people/${ids.ada}`;
  for (const as of ["viewer", "operator", "reviewer", "admin"] as const) {
    expect(expectDone(await api.call("GET", path, { as }))).toMatchObject({ name: "Ada" });
  }
  expectProblem(await api.call("GET", path, { as: "service" }), "forbidden", 403);
  expectProblem(await api.call("GET", path, { tenant: api.otherTenant }), "not_found", 404);
});
