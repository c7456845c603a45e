/**
 * Whatever changes an organisation, its limits or its keys, by whatever hand, leaves one row in `organisation_outbox` for
 * each transaction and organisation. Rows are only ever added, so no writer waits for whoever reads them. A notification
 * on `organisation_changes` wakes the reader and says nothing else.
 *
 * `organisation_versions` outlives its organisation: the version of an id goes on growing when the id is used again. Its
 * row stays locked until the writer commits, so who reads a version and the organisation in one statement sees all
 * changes up to that version. The triggers fire once for each statement, however many rows it changes.
 */
export const sql = `
DROP TRIGGER announce_organisation ON organisations;
DROP TRIGGER announce_limits ON limits;
DROP TRIGGER count_change ON limits;
DROP TRIGGER count_key_change ON api_keys;
DROP FUNCTION announce_organisation, announce_limits, count_change, count_key_change;

CREATE TABLE organisation_versions (
  organisation_id text PRIMARY KEY,
  version bigint NOT NULL
);

INSERT INTO organisation_versions
SELECT id, coalesce(version, 1) FROM organisations LEFT JOIN limits ON organisation_id = id;
ALTER TABLE limits DROP COLUMN version;

CREATE TABLE organisation_outbox (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL,
  version bigint NOT NULL
);

CREATE INDEX outbox_of_organisation ON organisation_outbox (organisation_id);

CREATE FUNCTION capture_changes(ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- In order, so that two bulk changes wait for each other and do not deadlock. A row of this very transaction counts
  -- already: nobody else has seen its version yet.
  WITH changed AS (
    INSERT INTO organisation_versions AS known (organisation_id, version)
    SELECT DISTINCT id, 1 FROM unnest(ids) AS id ORDER BY id
    ON CONFLICT (organisation_id) DO UPDATE SET version = known.version + 1
      WHERE known.xmin <> pg_current_xact_id()::xid
    RETURNING organisation_id, version
  )
  INSERT INTO organisation_outbox (organisation_id, version)
  SELECT organisation_id, version FROM changed ORDER BY organisation_id;
  IF FOUND THEN
    PERFORM pg_notify('organisation_changes', '');
  END IF;
END $$;
${captured('organisations', 'id')}${captured('limits', 'organisation_id')}${captured('api_keys', 'organisation_id')}`

/** The triggers of one table; `column` holds the organisation's id. One trigger serves one event only, as PostgreSQL has it. */
function captured(table: string, column: string): string {
  return `
CREATE FUNCTION capture_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_OP
    WHEN 'INSERT' THEN PERFORM capture_changes(ARRAY(SELECT ${column} FROM after_change));
    WHEN 'UPDATE' THEN
      PERFORM capture_changes(ARRAY(SELECT ${column} FROM before_change UNION SELECT ${column} FROM after_change));
    WHEN 'DELETE' THEN PERFORM capture_changes(ARRAY(SELECT ${column} FROM before_change));
    ELSE PERFORM capture_changes(ARRAY(SELECT ${column} FROM ${table}));
  END CASE;
  RETURN NULL;
END $$;

CREATE TRIGGER capture_insert AFTER INSERT ON ${table} REFERENCING NEW TABLE AS after_change
  FOR EACH STATEMENT EXECUTE FUNCTION capture_${table}();
CREATE TRIGGER capture_update AFTER UPDATE ON ${table} REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
  FOR EACH STATEMENT EXECUTE FUNCTION capture_${table}();
CREATE TRIGGER capture_delete AFTER DELETE ON ${table} REFERENCING OLD TABLE AS before_change
  FOR EACH STATEMENT EXECUTE FUNCTION capture_${table}();
CREATE TRIGGER capture_truncate BEFORE TRUNCATE ON ${table}
  FOR EACH STATEMENT EXECUTE FUNCTION capture_${table}();
`
}
