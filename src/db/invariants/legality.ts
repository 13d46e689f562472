import type { FrozenRegistry } from "../../domain/registry-history/frozen-registry.ts";
import { REGISTRY_HISTORY } from "../../domain/registry-history/index.ts";
import type { Invariant } from "./invariant.ts";
import { valuesOf } from "./values.ts";

/** Returns the rows (version, from, to) of one table in every version, as SQL. */
const movesOf = (
  registries: readonly FrozenRegistry[],
  tableOf: (registry: FrozenRegistry) => Readonly<Record<string, readonly string[]>>,
): string =>
  valuesOf(
    registries.flatMap((registry) =>
      Object.entries(tableOf(registry)).flatMap(([from, targets]) =>
        targets.map((to) => [registry.registryVersion, from, to]),
      ),
    ),
  );

/** Returns the rows (version, kind, from, to) of the moves of steps in every version, as SQL. */
const stepMovesOf = (registries: readonly FrozenRegistry[]): string =>
  valuesOf(
    registries.flatMap(({ registryVersion, stepTransitions }) =>
      Object.entries(stepTransitions).flatMap(([kind, table]) =>
        Object.entries(table).flatMap(([from, targets]) =>
          targets.map((to) => [registryVersion, kind, from, to]),
        ),
      ),
    ),
  );

/** Returns the rows (version, status) that a trial can have in every version, as SQL. */
const trialStatusesOf = (registries: readonly FrozenRegistry[]): string =>
  valuesOf(
    registries.flatMap(({ registryVersion, trialTransitions }) =>
      Object.keys(trialTransitions).map((status) => [registryVersion, status]),
    ),
  );

/** Returns the invariants that judge each event by the tables of the registry version that it records. */
export function legalityInvariants(registries: readonly FrozenRegistry[]): readonly Invariant[] {
  const known = `(${registries.map(({ registryVersion }) => registryVersion).join(", ")})`;
  return [
    {
      name: "registry-versions-are-known",
      description: "An event records a registry version whose tables this release does not have.",
      sql: `
      select tenant_id, task_id, seq, registry_version from step_events where registry_version not in ${known}
      union all
      select tenant_id, eval_id, seq, registry_version from eval_step_events where registry_version not in ${known}`,
    },
    {
      name: "status-moves-are-legal",
      description:
        "An event changes a status in a way that the tables of its registry version do not allow.",
      sql: `
      select e.tenant_id, e.task_id, e.seq
      from step_events e join steps s on s.tenant_id = e.tenant_id and s.id = e.step_id
      where e.registry_version in ${known} and e.from_status is not null
        and e.type not in ('bulk_reverted', 'review_withdrawn')
        and case when e.type in ('step_transitioned', 'bulk_transitioned')
          then (e.registry_version, s.kind, e.from_status, e.to_status) not in (${stepMovesOf(registries)})
          else e.from_status <> e.to_status end`,
    },
    {
      name: "gate-moves-are-legal",
      description:
        "An event changes a gate in a way that the tables of its registry version do not allow.",
      sql: `
      select e.tenant_id, e.task_id, e.seq from step_events e
      where e.registry_version in ${known} and e.from_gate <> e.to_gate
        and e.type not in ('bulk_reverted', 'review_withdrawn')
        and (e.registry_version, e.from_gate, e.to_gate)
          not in (${movesOf(registries, ({ gateTransitions }) => gateTransitions)})`,
    },
    {
      name: "eval-moves-are-legal",
      description:
        "An event moves an eval or a trial in a way that the tables of its registry version do not allow.",
      sql: `
      select tenant_id, eval_id, seq from eval_step_events
      where registry_version in ${known} and case type
        when 'eval_created' then from_status is not null or to_status not in ('draft', 'running')
        when 'eval_transitioned' then (registry_version, from_status, to_status)
          not in (${movesOf(registries, ({ evalTransitions }) => evalTransitions)})
        else from_status <> to_status end
      union all
      select tenant_id, eval_id, seq from eval_step_events
      where registry_version in ${known} and type = 'trial_transitioned'
        and (registry_version, payload::json ->> 'from', payload::json ->> 'status')
          not in (${movesOf(registries, ({ trialTransitions }) => trialTransitions)})
      union all
      select tenant_id, eval_id, seq
      from eval_step_events cross join json_array_elements(payload::json -> 'trials') recorded
      where registry_version in ${known} and type = 'trials_recorded'
        and (registry_version, recorded ->> 'status') not in (${trialStatusesOf(registries)})`,
    },
  ];
}

export const LEGALITY_INVARIANTS = legalityInvariants(REGISTRY_HISTORY);
