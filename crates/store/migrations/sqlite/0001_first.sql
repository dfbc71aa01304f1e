-- Every row belongs to the event `seq` that was committed with it, and is never changed afterwards;
-- only the three erasable columns of `personal` may become NULL.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    act TEXT NOT NULL,
    alg TEXT NOT NULL,
    content TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TABLE migration (
    seq INTEGER NOT NULL REFERENCES audit (seq),
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE document (
    seq INTEGER PRIMARY KEY REFERENCES audit (seq),
    digest TEXT NOT NULL UNIQUE,
    schema_name TEXT NOT NULL,
    name TEXT NOT NULL,
    day TEXT,
    retained_until TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX document_name ON document (name);
CREATE TABLE link (
    seq INTEGER NOT NULL REFERENCES document (seq),
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    label TEXT NOT NULL,
    bytes INTEGER,
    records INTEGER,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_target ON link (kind, target);
CREATE TABLE position (
    seq INTEGER NOT NULL REFERENCES document (seq),
    n INTEGER NOT NULL,
    edge TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    since TEXT,
    due TEXT,
    records INTEGER NOT NULL,
    currency TEXT,
    difference TEXT,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX position_fingerprint ON position (fingerprint);
CREATE TABLE decision (
    seq INTEGER PRIMARY KEY REFERENCES document (seq),
    id TEXT NOT NULL,
    line INTEGER NOT NULL,
    act TEXT NOT NULL,
    kind TEXT,
    by_whom TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX decision_id ON decision (id);
CREATE TABLE personal (
    seq INTEGER NOT NULL REFERENCES document (seq),
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    masked TEXT,
    hmac TEXT,
    salt TEXT,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX personal_hmac ON personal (hmac);
CREATE TABLE purged (
    seq INTEGER NOT NULL REFERENCES audit (seq),
    n INTEGER NOT NULL,
    document INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (seq, n),
    FOREIGN KEY (document, place) REFERENCES personal (seq, n)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_kept BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only appended to'); END;
CREATE TRIGGER audit_whole BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only appended to'); END;
CREATE TRIGGER migration_kept BEFORE UPDATE ON migration BEGIN SELECT RAISE(ABORT, 'migration is only appended to'); END;
CREATE TRIGGER migration_whole BEFORE DELETE ON migration BEGIN SELECT RAISE(ABORT, 'migration is only appended to'); END;
CREATE TRIGGER document_kept BEFORE UPDATE ON document BEGIN SELECT RAISE(ABORT, 'document is only appended to'); END;
CREATE TRIGGER document_whole BEFORE DELETE ON document BEGIN SELECT RAISE(ABORT, 'document is only appended to'); END;
CREATE TRIGGER link_kept BEFORE UPDATE ON link BEGIN SELECT RAISE(ABORT, 'link is only appended to'); END;
CREATE TRIGGER link_whole BEFORE DELETE ON link BEGIN SELECT RAISE(ABORT, 'link is only appended to'); END;
CREATE TRIGGER position_kept BEFORE UPDATE ON position BEGIN SELECT RAISE(ABORT, 'position is only appended to'); END;
CREATE TRIGGER position_whole BEFORE DELETE ON position BEGIN SELECT RAISE(ABORT, 'position is only appended to'); END;
CREATE TRIGGER decision_kept BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'decision is only appended to'); END;
CREATE TRIGGER decision_whole BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'decision is only appended to'); END;
CREATE TRIGGER purged_kept BEFORE UPDATE ON purged BEGIN SELECT RAISE(ABORT, 'purged is only appended to'); END;
CREATE TRIGGER purged_whole BEFORE DELETE ON purged BEGIN SELECT RAISE(ABORT, 'purged is only appended to'); END;
CREATE TRIGGER personal_kept BEFORE UPDATE ON personal
WHEN NEW.masked IS NOT NULL OR NEW.hmac IS NOT NULL OR NEW.salt IS NOT NULL
    OR NEW.seq <> OLD.seq OR NEW.n <> OLD.n OR NEW.kind <> OLD.kind OR NEW.digest <> OLD.digest
BEGIN SELECT RAISE(ABORT, 'personal can only be erased'); END;
CREATE TRIGGER personal_whole BEFORE DELETE ON personal BEGIN SELECT RAISE(ABORT, 'personal can only be erased'); END;
