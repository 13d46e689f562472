/** What administration changes. */
export const ADMIN_SUBJECTS = [
  "tenant",
  "key",
  "person",
  "pipeline",
  "webhook",
  "taxonomy",
] as const;
export type AdminSubject = (typeof ADMIN_SUBJECTS)[number];

/** What an event of administration reports. `state_imported` describes a row that existed before the stream did. */
export const ADMIN_EVENT_TYPES = [
  "state_imported",
  "tenant_created",
  "key_created",
  "key_rotated",
  "key_revoked",
  "person_created",
  "person_changed",
  "person_deactivated",
  "pipeline_changed",
  "pipeline_secret_rotated",
  "webhook_created",
  "webhook_changed",
  "webhook_secret_rotated",
  "webhook_deleted",
  "webhook_delivery_retried",
  "webhook_deliveries_retried",
  "webhook_switched_off",
  "taxonomy_created",
  "taxonomy_changed",
  "taxonomy_archived",
  "taxonomy_restored",
] as const;
export type AdminEventType = (typeof ADMIN_EVENT_TYPES)[number];
