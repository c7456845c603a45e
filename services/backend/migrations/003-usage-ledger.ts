/**
 * One row for each file or live stream, by the id of its usage event. It names the organisation without referring to
 * it: what was used stays on record when the organisation is gone.
 */
export const sql = `
CREATE TABLE usage_ledger (
  event_id text PRIMARY KEY,
  organisation_id text NOT NULL,
  key_hash text NOT NULL,
  kind text NOT NULL,
  seconds numeric(12, 3) NOT NULL CHECK (seconds >= 0),
  ended_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL
);

CREATE INDEX usage_of_organisation ON usage_ledger (organisation_id, ended_at);
`
