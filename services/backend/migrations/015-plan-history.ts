/**
 * Every plan an organisation has taken, and since when. A trigger keeps it, so that a plan changed by hand is in it too;
 * one changed again as of the same moment was never in force. Changes of before come from the audit log.
 */
export const sql = `
CREATE TABLE plan_history (
  organisation_id text NOT NULL REFERENCES organisations ON DELETE CASCADE,
  since timestamptz NOT NULL,
  plan text NOT NULL,
  PRIMARY KEY (organisation_id, since)
);

INSERT INTO plan_history (organisation_id, since, plan)
SELECT DISTINCT ON (organisation_id, audit_log.at) organisation_id, audit_log.at, details->>'to'
FROM audit_log JOIN organisations o ON o.id = organisation_id AND audit_log.at >= o.created_at
WHERE action = 'plan.changed' AND details->>'to' IS NOT NULL
ORDER BY organisation_id, audit_log.at, audit_log.id DESC;

INSERT INTO plan_history (organisation_id, since, plan) SELECT organisation_id, since, plan FROM subscriptions
ON CONFLICT (organisation_id, since) DO UPDATE SET plan = excluded.plan;

CREATE FUNCTION keep_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO plan_history (organisation_id, since, plan) VALUES (NEW.organisation_id, NEW.since, NEW.plan)
  ON CONFLICT (organisation_id, since) DO UPDATE SET plan = excluded.plan;
  RETURN NULL;
END $$;

CREATE TRIGGER keep_plan AFTER INSERT OR UPDATE ON subscriptions FOR EACH ROW EXECUTE FUNCTION keep_plan();
`
