/** Answers to requests that may be sent twice, without the secrets that were shown once. */
export const sql = `
CREATE TABLE idempotency_keys (
  scope text NOT NULL,
  key_hash text NOT NULL,
  fingerprint text NOT NULL,
  answer jsonb,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (scope, key_hash)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
`
