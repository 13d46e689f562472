/**
 * What Neon itself creates in a database. Its own roles (all rights on the database, default privileges on what its
 * administrator creates) and the schemas of its own extensions are not compared.
 */
export const NEON_ROLES = ["neon_superuser", "cloud_admin", "zenith_admin", "web_access"];

/** Compared after all if one of the service's two roles owns them: Neon's administrator owns the real ones. */
export const NEON_SCHEMAS = ["neon", "neon_auth", "neon_migration"];

/** Extensions that Neon installs, and one that only counts statements. */
export const IGNORED_EXTENSIONS = ["neon", "neon_utils", "pg_stat_statements"];
