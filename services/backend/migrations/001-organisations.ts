/** Organisations, their keys and limits. Times come from the caller; SQL never asks for the time of day. */
export const sql = `
CREATE TABLE organisations (
  id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  name text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE limits (
  organisation_id text PRIMARY KEY REFERENCES organisations ON DELETE CASCADE,
  max_connections integer NOT NULL DEFAULT 10 CHECK (max_connections >= 0),
  requests_per_minute integer CHECK (requests_per_minute >= 0),
  version bigint NOT NULL DEFAULT 1
);

CREATE TABLE api_keys (
  id text PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisations ON DELETE CASCADE,
  hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
  name text NOT NULL,
  display_prefix text NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz
);

CREATE INDEX api_keys_of_organisation ON api_keys (organisation_id, created_at);
`
