-- Every row belongs to the event `seq` that was committed with it, and is never changed afterwards;
-- only the three erasable columns of `personal` may become NULL.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    act TEXT NOT NULL,
    alg TEXT NOT NULL,
    content TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TABLE migration (
    seq BIGINT NOT NULL REFERENCES audit (seq),
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL
);
CREATE TABLE document (
    seq BIGINT PRIMARY KEY REFERENCES audit (seq),
    digest TEXT NOT NULL UNIQUE,
    schema_name TEXT NOT NULL,
    name TEXT NOT NULL,
    day TEXT,
    retained_until TEXT,
    body TEXT NOT NULL
);
CREATE INDEX document_name ON document (name);
CREATE TABLE link (
    seq BIGINT NOT NULL REFERENCES document (seq),
    n BIGINT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    label TEXT NOT NULL,
    bytes BIGINT,
    records BIGINT,
    PRIMARY KEY (seq, n)
);
CREATE INDEX link_target ON link (kind, target);
CREATE TABLE position (
    seq BIGINT NOT NULL REFERENCES document (seq),
    n BIGINT NOT NULL,
    edge TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    since TEXT,
    due TEXT,
    records BIGINT NOT NULL,
    currency TEXT,
    difference TEXT,
    PRIMARY KEY (seq, n)
);
CREATE INDEX position_fingerprint ON position (fingerprint);
CREATE TABLE decision (
    seq BIGINT PRIMARY KEY REFERENCES document (seq),
    id TEXT NOT NULL,
    line BIGINT NOT NULL,
    act TEXT NOT NULL,
    kind TEXT,
    by_whom TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX decision_id ON decision (id);
CREATE TABLE personal (
    seq BIGINT NOT NULL REFERENCES document (seq),
    n BIGINT NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    masked TEXT,
    hmac TEXT,
    salt TEXT,
    PRIMARY KEY (seq, n)
);
CREATE INDEX personal_hmac ON personal (hmac);
CREATE TABLE purged (
    seq BIGINT NOT NULL REFERENCES audit (seq),
    n BIGINT NOT NULL,
    document BIGINT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (seq, n),
    FOREIGN KEY (document, place) REFERENCES personal (seq, n)
);
CREATE FUNCTION quanfu_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only appended to', TG_TABLE_NAME;
END $$;
CREATE FUNCTION quanfu_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.masked IS NOT NULL OR NEW.hmac IS NOT NULL OR NEW.salt IS NOT NULL
        OR NEW.seq <> OLD.seq OR NEW.n <> OLD.n OR NEW.kind <> OLD.kind OR NEW.digest <> OLD.digest
    THEN
        RAISE EXCEPTION 'personal can only be erased';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
CREATE TRIGGER migration_kept BEFORE UPDATE OR DELETE ON migration FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
CREATE TRIGGER document_kept BEFORE UPDATE OR DELETE ON document FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
CREATE TRIGGER link_kept BEFORE UPDATE OR DELETE ON link FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
CREATE TRIGGER position_kept BEFORE UPDATE OR DELETE ON position FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
CREATE TRIGGER decision_kept BEFORE UPDATE OR DELETE ON decision FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
CREATE TRIGGER purged_kept BEFORE UPDATE OR DELETE ON purged FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
CREATE TRIGGER personal_kept BEFORE UPDATE ON personal FOR EACH ROW EXECUTE FUNCTION quanfu_erased();
CREATE TRIGGER personal_whole BEFORE DELETE ON personal FOR EACH ROW EXECUTE FUNCTION quanfu_kept();
