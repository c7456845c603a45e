/** Which plan an organisation is on, and its credit. All money is in millionths of a dollar. */
export const sql = `
CREATE TABLE subscriptions (
  organisation_id text PRIMARY KEY REFERENCES organisations ON DELETE CASCADE,
  plan text NOT NULL,
  since timestamptz NOT NULL
);

CREATE TABLE credit_movements (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisations ON DELETE CASCADE,
  amount_micros bigint NOT NULL CHECK (amount_micros <> 0),
  reason text NOT NULL,
  at timestamptz NOT NULL
);

CREATE INDEX credit_of_organisation ON credit_movements (organisation_id, id);
`
