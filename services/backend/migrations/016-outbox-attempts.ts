/**
 * What db-sync could not hand on says how often that was tried, and since when, by db-sync's clock. Both stay as they are
 * for a row that goes at the first attempt.
 */
export const sql = `
ALTER TABLE organisation_outbox
  ADD COLUMN attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN tried_at timestamptz;
`
