/** Who did what to what. It refers to nothing: what was done stays on record when the things are gone. */
export const sql = `
CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL,
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  details jsonb NOT NULL,
  at timestamptz NOT NULL
);

CREATE INDEX audit_of_organisation ON audit_log (organisation_id, id);
`
