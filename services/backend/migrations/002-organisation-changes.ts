/**
 * Whoever listens on `organisation_changes` gets the id of each organisation that changed, by whatever hand. The
 * version of the limits counts changes of limits and keys; as each of them updates that row, locking it keeps an
 * organisation as it is.
 */
export const sql = `
CREATE FUNCTION announce_organisation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('organisation_changes', coalesce(NEW.id, OLD.id));
  RETURN NULL;
END $$;

CREATE TRIGGER announce_organisation AFTER INSERT OR UPDATE OR DELETE ON organisations
  FOR EACH ROW EXECUTE FUNCTION announce_organisation();

CREATE FUNCTION announce_limits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('organisation_changes', NEW.organisation_id);
  RETURN NULL;
END $$;

CREATE TRIGGER announce_limits AFTER INSERT OR UPDATE ON limits
  FOR EACH ROW EXECUTE FUNCTION announce_limits();

CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END $$;

CREATE TRIGGER count_change BEFORE UPDATE ON limits
  FOR EACH ROW EXECUTE FUNCTION count_change();

CREATE FUNCTION count_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE limits SET version = version + 1 WHERE organisation_id = coalesce(NEW.organisation_id, OLD.organisation_id);
  RETURN NULL;
END $$;

CREATE TRIGGER count_key_change AFTER INSERT OR UPDATE OR DELETE ON api_keys
  FOR EACH ROW EXECUTE FUNCTION count_key_change();
`
