/**
 * The kinds of tenants. Only in a `demo` can life be simulated: the clock of its histories can be moved, and the routes of
 * the simulation work. The owner of the database chooses the kind when creating a tenant.
 */
export const TENANT_KINDS = ["customer", "demo"] as const;
export type TenantKind = (typeof TENANT_KINDS)[number];
